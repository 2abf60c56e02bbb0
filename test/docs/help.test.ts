import { type Command, CommanderError } from 'commander';
import t from 'tap';
import { COMMANDS, helpOf, withSubcommands } from '../support/cli-commands.js';
import { southbridge } from '../support/program.js';

/** What the program says it has, not what the folder has: a command that is not registered is none. */
const NAMES = [...southbridge(['--help']).stdout.matchAll(/^ {2}([a-z]+)(?: \[| <|$| {2,})/gm)]
  .map(([, name]) => name)
  .filter((name) => name !== 'help');

/** Command lines of the examples: they stand two columns in, behind a line that says so. */
function examplesOf(help: string): string[] {
  const [, examples = ''] = help.split(/^Examples?:$/m);
  return [...examples.matchAll(/^ {2}npx (southbridge .*)$/gm)].map(([, line]) => line);
}

/** Parses a command line without carrying it out. */
function parse(top: Command, words: readonly string[]): void {
  for (const [, command] of withSubcommands(top)) {
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
    if (command.commands.length === 0) command.action(() => {});
  }
  top.parse([...words], { from: 'user' });
}

t.test('every command has an example in its help, which it takes', async (t) => {
  t.same(COMMANDS.map((command) => command.name()).sort(), NAMES.toSorted(), 'every command of the program is here');
  t.equal(examplesOf(southbridge(['--help']).stdout).length, 1, 'the program has one as well');
  const all = COMMANDS.flatMap((top) => withSubcommands(top).map(([words, command]) => ({ top, words, command })));
  // All help is read before anything is parsed, which leaves values behind.
  const examples = all.map(({ top, words, command }) => ({ top, words, examples: examplesOf(helpOf(command)) }));
  for (const { top, words, examples: lines } of examples) {
    t.ok(lines.length > 0, `${words.join(' ')} has an example`);
    for (const line of lines) {
      const [, ...rest] = line.split(' ');
      t.same(rest.slice(0, words.length), words, `${line} calls ${words.join(' ')}`);
      t.doesNotThrow(() => parse(top, rest.slice(1)), `${line} is taken`);
    }
  }
  const [{ top }] = examples;
  t.throws(() => parse(top, ['--no-such-option']), CommanderError, 'another line is not');
});
