import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ConfigurationError, SouthbridgeError } from '../errors.js';
import { paint, wrapped } from './terminal.js';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

/** The commands. Only the one that is named is loaded: what one of them needs takes half a second. */
const COMMANDS: { readonly [name: string]: () => Promise<Command> } = {
  demo: async () => (await import('./demo.js')).demo,
  doctor: async () => (await import('./doctor.js')).doctor,
  serve: async () => (await import('./serve.js')).serve,
  config: async () => (await import('./config.js')).config,
  replay: async () => (await import('./replay.js')).replay,
  explore: async () => (await import('./explore.js')).explore,
  token: async () => (await import('./token.js')).token,
  trace: async () => (await import('./trace.js')).trace,
  conform: async () => (await import('./conform.js')).conform,
  record: async () => (await import('./record.js')).record,
  qtest: async () => (await import('./qtest.js')).qtest,
  compare: async () => (await import('./compare.js')).compare,
  load: async () => (await import('./load.js')).load,
  poke: async () => (await import('./poke.js')).poke,
  cluster: async () => (await import('./cluster.js')).cluster,
  acpi: async () => (await import('./acpi.js')).acpi,
};

/** Errors in one form, `error: …`, in red on a terminal; help texts of 80 columns. */
function prepare(command: Command): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => process.stdout.write(wrapped(text)),
    outputError: (text, write) => write(text.replace(/^error:/, paint('error:', 'red', process.stderr))),
  });
  for (const below of command.commands) prepare(below);
}

/** Runs the command that the arguments name, to its end. Sets the exit status of the process. */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = new Command('southbridge')
    .description('HPET and IOAPIC of virtual machines for remote vCPUs')
    .version(version)
    .addHelpText('after', '\nExample:\n  npx southbridge demo');
  const [named] = args;
  const wanted = Object.hasOwn(COMMANDS, named) ? [named] : Object.keys(COMMANDS);
  try {
    for (const name of wanted) program.addCommand(await COMMANDS[name]());
    prepare(program);
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    fail(error);
  }
}

/** Prints an error that ended a command, and sets the exit status. */
function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    // 1 is for what a command finds out; 2 says that it could not do its work.
    process.exitCode = error.exitCode && 2;
    return;
  }
  for (const line of linesOf(error)) process.stderr.write(`${paint('error:', 'red', process.stderr)} ${line}\n`);
  process.exitCode = 1;
  if (isOutOfFiles(error)) process.exit();
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
