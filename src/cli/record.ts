import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { isRecordable } from '../lab/conform/program.js';
import { QemuTarget } from '../lab/conform/qemu.js';
import { QemuError } from '../lab/conform/qtest-process.js';
import { record as recordProgram } from '../lab/conform/record.js';
import { TargetLost } from '../lab/replay/target.js';
import { type ConformOptions, deviceOption, programsOf, seedsOption } from './conform-options.js';
import { atEnding } from './ending.js';

const HELP = `
Each trace is one JSON Lines file in the format of test/vectors. "southbridge replay" replays it. Options after -- go to
QEMU.

Exit status: 0 all were recorded, 2 QEMU could not be run.

Example:
  npx southbridge record traces --qemu qemu-system-x86_64 --device hpet`;

export const record = new Command('record')
  .description('record what the devices of a QEMU do, as traces to replay')
  .argument('<folder>', 'where the traces go')
  .argument('[options...]', 'options of QEMU, after --')
  .requiredOption('--qemu <binary>', 'QEMU for x86_64 with the qtest accelerator')
  .addOption(deviceOption())
  .addOption(seedsOption())
  .addOption(new Option('--random-only', 'leave the hand-written programs out'))
  .addHelpText('after', HELP)
  .action(run);

interface Options extends ConformOptions {
  readonly qemu: string;
  readonly randomOnly?: true;
}

async function run(folder: string, extra: string[], options: Options, command: Command): Promise<void> {
  const qemu = new QemuTarget(options.qemu, extra);
  const leave = atEnding(() => qemu.close());
  const programs = programsOf(options, !options.randomOnly).filter(isRecordable);
  mkdirSync(folder, { recursive: true });
  try {
    for (const program of programs) {
      const lines = await recordProgram(program, qemu, () => qemu.version);
      const name = program.name.toLowerCase().replace(/\W+/g, '_');
      writeFileSync(join(folder, `${name}.jsonl`), `${lines.join('\n')}\n`);
    }
  } catch (error) {
    if (!(error instanceof QemuError || error instanceof TargetLost)) throw error;
    return command.error(`error: ${error.message}`);
  } finally {
    leave();
    await qemu.close();
  }
  process.stdout.write(`QEMU ${qemu.version}: ${programs.length} traces in ${folder}\n`);
}
