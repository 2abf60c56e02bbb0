#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { replay } from './cli/replay.js';

const program = new Command('southbridge')
  .description('HPET and IOAPIC of virtual machines for remote vCPUs')
  .exitOverride()
  .addCommand(replay.exitOverride());

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // 1 is kept for what a command finds out; a command line that cannot be carried out is 2.
  process.exitCode = error.exitCode && 2;
}
