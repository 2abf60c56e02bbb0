#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { config } from './cli/config.js';
import { explore } from './cli/explore.js';
import { replay } from './cli/replay.js';
import { serve } from './cli/serve.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

const program = new Command('southbridge')
  .description('HPET and IOAPIC of virtual machines for remote vCPUs')
  .version(version)
  .exitOverride()
  .addCommand(serve.exitOverride())
  .addCommand(config.exitOverride())
  .addCommand(replay.exitOverride())
  .addCommand(explore.exitOverride());

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // 1 is kept for what a command finds out; a command line that cannot be carried out is 2.
  process.exitCode = error.exitCode && 2;
}
