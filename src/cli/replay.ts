import { Command, Option } from 'commander';
import { PROFILE_NAMES, type Profile } from '../core/devices/quirks.js';
import { PRESET_NAMES, type PresetName } from '../core/locking/presets.js';
import { findTraces, PathError } from '../lab/replay/find.js';
import { InProcessTarget } from '../lab/replay/in-process.js';
import { RemoteTarget } from '../lab/replay/remote.js';
import { type Report, replayAll } from '../lab/replay/runner.js';
import { TargetUnreachable } from '../lab/replay/target.js';
import { metricsOption, serverUrl } from './arguments.js';
import { atEnding } from './ending.js';
import { ReplayProgress } from './replay-progress.js';
import { paint } from './terminal.js';
import { tokenFileOption, tokenFromEnvironment } from './token-option.js';

interface Options {
  readonly url?: string;
  /** The token itself. */
  readonly tokenFile?: string;
  readonly profile?: Profile;
  readonly locking: PresetName;
  readonly metrics: 'own' | 'shared';
  readonly json?: true;
}

const HELP = `
Values and outputs must be those of the trace, in its order. With --locking deferred-revalidated only, one write of the
HPET's general configuration register may leave out changes of a line that cancel each other, in pairs, and the
edge-triggered messages of such raises: that design looks at a line once for all that an access did to it. Such steps
are counted in the results (coalesced, with --json).

Exit status: 0 all passed, 1 some failed, 2 nothing could be run, 130 after Ctrl-C.

Example:
  npx southbridge replay test/vectors --in-process --locking lockless-irq`;

export const replay = new Command('replay')
  .description('replay recorded traces on a machine with a manual clock, and compare what it does')
  .argument('<paths...>', 'traces, or folders with traces (*.jsonl)')
  .addOption(new Option('--url <url>', 'of a server, for instance http://127.0.0.1:8080').argParser(serverUrl))
  .addOption(tokenFileOption())
  .addOption(new Option('--in-process', 'on threads of this process (the default)').conflicts('url'))
  .addOption(
    new Option('--profile <profile>', 'default: qemu-11.1 for golden traces, standard for guest traces').choices(
      PROFILE_NAMES,
    ),
  )
  .addOption(new Option('--locking <preset>', 'locking design').choices(PRESET_NAMES).default('lockless-timer'))
  .addOption(metricsOption())
  .option('--json', 'one JSON object with the result of every trace')
  .addHelpText('after', HELP)
  .action(run);

async function run(paths: string[], options: Options, command: Command): Promise<void> {
  const candidates = await findTraces(paths).catch((error) => {
    if (error instanceof PathError) return command.error(`error: ${error.message}`);
    throw error;
  });
  const token = options.tokenFile ?? tokenFromEnvironment();
  const target = options.url ? new RemoteTarget(options.url, token) : new InProcessTarget();
  // A run that is broken off leaves no machine on the server.
  const leave = atEnding(() => target.close());
  const progress = new ReplayProgress(candidates.length, !options.json);
  let report: Report;
  try {
    report = await replayAll(candidates, target, options, progress);
  } catch (error) {
    if (!(error instanceof TargetUnreachable)) throw error;
    progress.end();
    return command.error(
      `error: nothing was replayed: ${error.message}; is the server running, and is this its address?`,
    );
  } finally {
    progress.end();
    leave();
    await target.close();
  }
  if (options.json) {
    const { locking, profile = null } = options;
    process.stdout.write(`${JSON.stringify({ target: target.name, locking, profile, ...report })}\n`);
  }
  if (report.results.length === 0) command.error(`error: no trace found in ${paths.join(', ')}`);
  if (!options.json)
    process.stdout.write(
      `${report.passed} passed, ${report.failed > 0 ? paint(`${report.failed} failed`, 'red') : '0 failed'}\n`,
    );
  if (report.failed) process.exitCode = 1;
}
