import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { PRESET_NAMES, type PresetName } from '../core/locking/presets.js';
import { Load } from '../lab/load/load.js';
import type { Workload } from '../lab/load/loaded-machine.js';
import { LoadError } from '../lab/load/options.js';
import { type LoadReport, textOf } from '../lab/load/report.js';
import { failureOf } from '../lab/load/targets.js';
import { SUMMARIES, WORKLOAD_NAMES, WORKLOADS } from '../lab/load/workloads/index.js';
import { metricsOption, serverUrl, whole } from './arguments.js';
import { atEnding } from './ending.js';
import { duration as durationText, Progress, paint } from './terminal.js';
import { tokenFileOption, tokenFromEnvironment } from './token-option.js';

interface Options {
  readonly url: string;
  readonly vcpus: number;
  readonly workload: string;
  readonly duration: number;
  readonly rate?: number;
  readonly seed: number;
  readonly patience: number;
  readonly locking?: PresetName;
  readonly metrics: 'own' | 'shared';
  readonly machine?: string;
  readonly trace: string;
  /** The token itself. */
  readonly tokenFile?: string;
  readonly json?: true;
}

const MOST_VCPUS = 1024;
const DEFAULT_TRACE = fileURLToPath(new URL('../../../test/vectors/guest/linux-6.1-oneshot-up.jsonl', import.meta.url));
const MILLISECONDS: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const HELP = `
Workloads:
${SUMMARIES.map(([name, summary]) => `  ${name.padEnd(15)} ${summary}`).join('\n')}

The command compares the interrupts that the machine's IRQ stream reports with those that the vCPUs receive. Each
workload also knows which interrupts are due. A late interrupt appears in the report, and is not a failure.

Exit status: 0 nothing was lost or doubled, and the main counter never went back; 1 something was or did; 2 the load
could not be started; 130 after Ctrl-C, which ends the run and prints the report.

Example:
  npx southbridge load --url http://127.0.0.1:8080 --workload timer-tick --duration 10s`;

export const load = new Command('load')
  .description('drive a server as the vCPUs of machines, and report whether any interrupt was lost or doubled')
  .addOption(new Option('--url <url>', 'address of the server').argParser(serverUrl).makeOptionMandatory())
  .addOption(
    new Option('--vcpus <n>', 'number of vCPUs, at most 16 per machine').argParser(whole(1, MOST_VCPUS)).default(8),
  )
  .addOption(
    new Option('--workload <name>', 'operations that the vCPUs perform').choices(WORKLOAD_NAMES).default('mixed'),
  )
  .addOption(
    new Option('--duration <time>', 'duration of the run, such as 10s, 500ms or 2m')
      .argParser(duration)
      .default(10_000, '10s'),
  )
  .addOption(
    new Option(
      '--rate <n>',
      'operations per second of all vCPUs together, each timed from its intended start; without a rate each vCPU runs as fast as it can',
    ).argParser(rate),
  )
  .addOption(new Option('--seed <n>', 'seed of the random choices').argParser(whole(0, 2 ** 31 - 1)).default(1))
  .addOption(
    new Option('--patience <time>', 'time after which a due interrupt that the server has not reported counts as lost')
      .argParser(duration)
      .default(30_000, '30s'),
  )
  .addOption(new Option('--locking <preset>', 'locking design of the created machines').choices(PRESET_NAMES))
  .addOption(
    new Option('--machine <name>', 'load an existing machine; it is reset before and after the run').conflicts(
      'locking',
    ),
  )
  .addOption(metricsOption())
  .addOption(
    new Option('--trace <file>', 'recorded guest of the workload guest').default(DEFAULT_TRACE, 'a boot of Linux 6.1'),
  )
  .addOption(tokenFileOption())
  .option('--json', 'print one JSON object')
  .addHelpText('after', HELP)
  .action(run);

/** In milliseconds; a number alone is seconds. */
function duration(text: string): number {
  const [, amount, unit = 's'] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?$/.exec(text) ?? [];
  const ms = Number(amount) * MILLISECONDS[unit];
  if (ms >= 1 && ms <= 2 ** 31 - 1) return ms;
  throw new InvalidArgumentError('It is a time such as 10s, 500ms or 2m, of at least 1ms and less than 25 days.');
}

function rate(text: string): number {
  const value = /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0) return value;
  throw new InvalidArgumentError('It is a number above 0, of operations per second.');
}

/** Throws LoadError. */
async function workloadOf({ workload: name, trace, rate }: Options): Promise<Workload> {
  const workload = WORKLOADS.find((each) => each.name === name) ?? (await guestOf(trace));
  if (workload.ownRate && rate !== undefined) throw new LoadError(`${name} sets its own rate; omit --rate`);
  return workload;
}

/** Loaded on demand: the trace reader takes as long to load as the rest of the command. */
async function guestOf(file: string): Promise<Workload> {
  const { readTrace, TraceError } = await import('../lab/replay/trace.js');
  const { guest } = await import('../lab/load/workloads/guest.js');
  try {
    const trace = readTrace(file);
    if (trace.kind === 'guest') return guest(trace);
  } catch (error) {
    if (error instanceof TraceError) throw new LoadError(error.message);
    throw error;
  }
  throw new LoadError(`${file}: not a trace of a guest`);
}

async function run(options: Options, command: Command): Promise<void> {
  try {
    const report = await reportOf(options);
    write(report, options);
    if (!report.ok) process.exitCode = 1;
  } catch (error) {
    const reason = failureOf(error, options.url);
    if (reason === undefined) throw error;
    command.error(`error: ${reason}`, { exitCode: 2 });
  }
}

function write(report: LoadReport, { json }: Options): void {
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else process.stdout.write(textOf(report, (text, isOk) => paint(text, isOk ? 'green' : 'red')));
}

/** Throws LoadError, or an error of the client. */
async function reportOf(options: Options): Promise<LoadReport> {
  const { url, vcpus, duration: durationMs, rate, seed, patience: patienceMs, locking, machine, metrics } = options;
  const token = options.tokenFile ?? tokenFromEnvironment();
  const workload = await workloadOf(options);
  const task = new Load({ url, token, vcpus, workload, durationMs, rate, seed, patienceMs, locking, machine, metrics });
  const work = (async () => {
    const progress = new Progress(() => progressText(task, durationMs));
    try {
      await task.open();
      return await task.run();
    } finally {
      progress.end();
      await task.close();
    }
  })();
  // Ctrl-C ends the run, prints the report and deletes the machines. A second Ctrl-C exits at once.
  const leave = atEnding(async () => {
    task.stop();
    write(await work, options);
  });
  try {
    return await work;
  } finally {
    leave();
  }
}

/** The progress line on a terminal. */
function progressText(run: Load, durationMs: number): string {
  const { elapsed, operations, received, lost, doubled } = run.progress;
  const perSecond = Math.round(operations / Math.max(0.001, elapsed / 1000));
  const left = durationText(Math.max(0, durationMs - elapsed) / 1000);
  return `${left} left, ${perSecond} operations/s, ${received} interrupts, ${lost} lost, ${doubled} doubled so far`;
}
