#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';

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
  compare: async () => (await import('./cli/compare.js')).compare,
  load: async () => (await import('./cli/load.js')).load,
};

const program = new Command('southbridge')
  .description('HPET and IOAPIC of virtual machines for remote vCPUs')
  .version(version)
  .addHelpText('after', '\nExample:\n  southbridge demo')
  .exitOverride();

const named = process.argv[2];
const wanted = Object.hasOwn(COMMANDS, named) ? [named] : Object.keys(COMMANDS);

try {
  for (const name of wanted) program.addCommand((await COMMANDS[name]()).exitOverride());
  await program.parseAsync();
} catch (error) {
  if (isOutOfFiles(error)) {
    process.stderr.write(`${error.message}: this process may open no more files; raise the limit (ulimit -n).\n`);
    process.exit(1);
  }
  if (!(error instanceof CommanderError)) throw error;
  // 1 is kept for what a command finds out; a command line that cannot be carried out is 2.
  process.exitCode = error.exitCode && 2;
}

function isOutOfFiles(error: unknown): error is NodeJS.ErrnoException {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}
