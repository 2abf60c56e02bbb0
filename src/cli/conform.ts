import { Command, Option } from 'commander';
import type { PresetName } from '../core/locking/presets.js';
import { Comparison } from '../lab/conform/comparison.js';
import { QemuTarget } from '../lab/conform/qemu.js';
import type { Board } from '../lab/conform/qom.js';
import { QemuError } from '../lab/conform/qtest-process.js';
import { functionOf, tableOf } from '../lab/conform/report.js';
import { type Shrunk, shrink } from '../lab/conform/shrink.js';
import { InProcessTarget } from '../lab/replay/in-process.js';
import { TargetLost } from '../lab/replay/target.js';
import { type ConformOptions, designs, deviceOption, programsOf, RunProgress, seedsOption } from './conform-options.js';
import { atEnding } from './ending.js';
import { Progress } from './terminal.js';

interface Options extends ConformOptions {
  readonly qemu: string;
  readonly locking: readonly PresetName[];
  readonly progress?: string;
  readonly json?: true;
}

const HELP = `
Each program runs on a new process of QEMU under its qtest accelerator and on a machine of this process with the profile
qemu-11.1. The first difference is shrunk until no step can be removed and no repeat shortened. It is printed as a table
and as a function for QEMU's tests/qtest.

Options after -- go to QEMU, for instance those of another HPET implementation.

Exit status: 0 no difference, 1 a difference, 2 QEMU could not be run.

Example:
  npx southbridge conform --qemu qemu-system-x86_64 --device hpet --seeds 1..200`;

export const conform = new Command('conform')
  .description("compare the devices of a QEMU with this program's, by random and hand-written programs")
  .argument('[options...]', 'options of QEMU, after --')
  .requiredOption('--qemu <binary>', 'QEMU for x86_64 with the qtest accelerator')
  .addOption(deviceOption())
  .addOption(seedsOption())
  .addOption(
    new Option('--locking <presets>', 'locking designs, separated by commas; all are compared with each run of QEMU')
      .argParser(designs)
      .default(['lockless-irq'], 'lockless-irq'),
  )
  .option('--progress <file>', 'keep the number of equal programs in this file, and continue after them')
  .option('--json', 'print one JSON object')
  .addHelpText('after', HELP)
  .action(run);

async function run(extra: string[], options: Options, command: Command): Promise<void> {
  const qemu = new QemuTarget(options.qemu, extra);
  const model = new InProcessTarget();
  const comparison = new Comparison(qemu, model, 'qemu-11.1', options.locking);
  const leave = atEnding(() => qemu.close());
  const programs = programsOf(options, true);
  const kept = new RunProgress(options);
  let done = Math.min(kept.programs, programs.length);
  const progress = new Progress(() => `program ${progress.of(done, programs.length)}`);
  let found: Shrunk | undefined;
  try {
    for (const program of programs.slice(done)) {
      const difference = await comparison.run(program);
      if (difference) {
        found = await shrink({ program, difference }, (smaller) => comparison.run(smaller));
        break;
      }
      kept.programs = ++done;
    }
  } catch (error) {
    if (!(error instanceof QemuError || error instanceof TargetLost)) throw error;
    progress.end();
    return command.error(`error: ${error.message} (after ${done} programs without a difference)`);
  } finally {
    progress.end();
    leave();
    await qemu.close();
    await model.close();
  }
  report(options, qemu, done, found);
}

function report(
  options: Options,
  { version, board, extra }: QemuTarget,
  programs: number,
  found: Shrunk | undefined,
): void {
  const source = found && functionOf(found, board as Board, extra);
  if (options.json) {
    const difference = found && { program: found.program.name, table: tableOf(found), function: source };
    process.stdout.write(`${JSON.stringify({ qemu: version, programs, difference: difference ?? null })}\n`);
  } else if (found) {
    process.stdout.write(`QEMU ${version} differs in ${found.program.name}:\n\n${tableOf(found)}\n\n${source}\n`);
  } else {
    process.stdout.write(`QEMU ${version}: no difference in ${programs} programs\n`);
  }
  if (found) process.exitCode = 1;
}
