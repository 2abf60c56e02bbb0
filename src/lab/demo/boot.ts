import { loadConfiguration } from '../../config/sources.js';
import type { PresetName } from '../../core/locking/presets.js';
import { startServer } from '../../server/boot.js';
import { type Mismatch, play } from '../replay/player.js';
import { RemoteTarget } from '../replay/remote.js';
import type { ReplayMachine, StepOutcome } from '../replay/target.js';
import { readTrace, type Step, type Trace } from '../replay/trace.js';

/** What came of replaying a trace over the vCPU socket of a server. */
export interface Boot {
  readonly name: string;
  readonly url: string;
  readonly locking: PresetName;
  readonly seconds: number;
  readonly reads: number;
  readonly writes: number;
  /** How often a line of the HPET went up, and messages to local APICs. */
  readonly raises: number;
  readonly messages: number;
  readonly mismatch: Mismatch | undefined;
}

/** Counts what passes on its way to a machine and back. */
class Counting implements ReplayMachine {
  reads = 0;
  writes = 0;
  raises = 0;
  messages = 0;

  constructor(readonly machine: ReplayMachine) {}

  async perform(step: Step): Promise<StepOutcome> {
    const outcome = await this.machine.perform(step);
    if (step.op === 'read') this.reads++;
    if (step.op === 'write') this.writes++;
    for (const output of outcome.outputs) {
      if (output.out !== 'irq') this.messages++;
      else if (output.level) this.raises++;
    }
    return outcome;
  }

  close(): Promise<void> {
    return this.machine.close();
  }
}

/** Starts a server in this process, on a port that is free, replays a trace on it, and ends it. Throws TraceError. */
export async function boot(file: string, locking: PresetName): Promise<Boot> {
  const trace = readTrace(file);
  const server = await startServer(ownServer());
  try {
    return await replayOn(server.url, trace, locking);
  } finally {
    await server.close();
  }
}

async function replayOn(url: string, trace: Trace, locking: PresetName): Promise<Boot> {
  const target = new RemoteTarget(url);
  const begin = performance.now();
  const profile = trace.format === 'guest-trace/1' ? 'standard' : 'qemu-11.1';
  const machine = new Counting(await target.open(trace, { profile, locking }));
  try {
    const mismatch = await play(trace, machine);
    const { reads, writes, raises, messages } = machine;
    const seconds = (performance.now() - begin) / 1000;
    return { name: trace.name, url, locking, seconds, reads, writes, raises, messages, mismatch };
  } finally {
    await machine.close();
    await target.close();
  }
}

/** The defaults, but for what would meet other servers here or write to the terminal. */
function ownServer() {
  const set = (key: string, text: string) => ({ key, text, flag: key });
  return loadConfiguration({ flags: [set('port', '0'), set('logLevel', 'silent')] }).configuration;
}
