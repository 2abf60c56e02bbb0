import { readdirSync } from 'node:fs';
import { Command } from 'commander';

const folder = new URL('../../src/cli/', import.meta.url);

/** The commands of the program, as the files of its folder export them. */
export const COMMANDS: readonly Command[] = (
  await Promise.all(
    readdirSync(folder)
      .filter((file) => file.endsWith('.js'))
      .map(async (file) => Object.values(await import(new URL(file, folder).href))),
  )
)
  .flat()
  .filter((value): value is Command => value instanceof Command);

/** A command with those below it, with the words that call each. */
export function withSubcommands(command: Command, before: readonly string[] = []): [string[], Command][] {
  const words = [...before, command.name()];
  return [[words, command], ...command.commands.flatMap((below) => withSubcommands(below, words))];
}

/** What its help shows, with what was added to it. */
export function helpOf(command: Command): string {
  let text = '';
  const write = (part: string) => {
    text += part;
  };
  command.configureOutput({ writeOut: write, writeErr: write, getOutHelpWidth: () => 200 });
  command.outputHelp();
  return text;
}
