#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { endOnClosedOutput, endOnSignals } from './cli/ending.js';
import { paint, wrapped } from './cli/terminal.js';
import { ConfigurationError, SouthbridgeError } from './errors.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** The commands. Only the one that is named is loaded: what one of them needs takes half a second. */
const COMMANDS: { readonly [name: string]: () => Promise<Command> } = {
  demo: async () => (await import('./cli/demo.js')).demo,
  doctor: async () => (await import('./cli/doctor.js')).doctor,
  serve: async () => (await import('./cli/serve.js')).serve,
  config: async () => (await import('./cli/config.js')).config,
  replay: async () => (await import('./cli/replay.js')).replay,
  explore: async () => (await import('./cli/explore.js')).explore,
  token: async () => (await import('./cli/token.js')).token,
  trace: async () => (await import('./cli/trace.js')).trace,
  conform: async () => (await import('./cli/conform.js')).conform,
  record: async () => (await import('./cli/record.js')).record,
  qtest: async () => (await import('./cli/qtest.js')).qtest,
  compare: async () => (await import('./cli/compare.js')).compare,
  load: async () => (await import('./cli/load.js')).load,
  poke: async () => (await import('./cli/poke.js')).poke,
  cluster: async () => (await import('./cli/cluster.js')).cluster,
  acpi: async () => (await import('./cli/acpi.js')).acpi,
};

endOnClosedOutput();

const program = new Command('southbridge')
  .description('HPET and IOAPIC of virtual machines for remote vCPUs')
  .version(version)
  .addHelpText('after', '\nExample:\n  npx southbridge demo');

/** Errors in one form, `error: …`, in red on a terminal; help texts of 80 columns. */
function prepare(command: Command): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => process.stdout.write(wrapped(text)),
    outputError: (text, write) => write(text.replace(/^error:/, paint('error:', 'red', process.stderr))),
  });
  for (const below of command.commands) prepare(below);
}

const named = process.argv[2];
const wanted = Object.hasOwn(COMMANDS, named) ? [named] : Object.keys(COMMANDS);

try {
  for (const name of wanted) program.addCommand(await COMMANDS[name]());
  prepare(program);
  if (named !== 'serve') endOnSignals();
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // 1 is for what a command finds out; 2 says that it could not do its work.
    process.exitCode = error.exitCode && 2;
  } else {
    for (const line of linesOf(error)) process.stderr.write(`${paint('error:', 'red', process.stderr)} ${line}\n`);
    process.exitCode = 1;
    if (isOutOfFiles(error)) process.exit();
  }
}

/** What a user can do about an error, each reason by itself. Throws the error if it is a defect of this program. */
function linesOf(error: unknown): string[] {
  if (error instanceof ConfigurationError) return error.errors.map(({ message }) => message);
  if (error instanceof SouthbridgeError) return [error.message];
  if (isOutOfFiles(error))
    return [`${error.message}: this process may open no more files; raise the limit (ulimit -n).`];
  throw error;
}

function isOutOfFiles(error: unknown): error is NodeJS.ErrnoException {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}
