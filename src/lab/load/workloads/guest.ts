import { RequestError } from '../../../client/index.js';
import type { Step, Trace } from '../../replay/trace.js';
import type { Bench, Workload } from '../bench.js';
import { MAIN_COUNTER } from '../registers.js';
import type { Station } from '../station.js';

interface Playback {
  /** `performance.now` at which the trace's clock was 0. */
  begin: number;
  /** The next record. */
  next: number;
  /** Low half of the main counter as it was read last. */
  counter: number;
}

const LOGICAL_ID = 1;

/** A recorded guest, in real time and from the start again at its end. */
export function guest({ lines }: Trace): Workload {
  const playbacks = new WeakMap<Bench, Playback>();

  const playback = (bench: Bench): Playback => {
    const found = playbacks.get(bench);
    if (found) return found;
    const fresh = { begin: bench.course.begin, next: 0, counter: 0 };
    playbacks.set(bench, fresh);
    return fresh;
  };

  return {
    name: 'guest',
    summary: 'a recorded guest in real time',
    ownPace: true,
    isAlone: true,
    due(_station, bench) {
      const { begin, next } = playback(bench);
      return begin + (lines[next].clock ?? 0) / 1e6;
    },
    async operate(station, bench) {
      const now = playback(bench);
      if (now.next === 0) await station.vcpu.setApic(LOGICAL_ID, 'flat');
      await perform(station, bench, now, lines[now.next].step);
      // Whoever plays takes the interrupts as they come: the ledger sees whether they do.
      station.take();
      now.next++;
      if (now.next === lines.length) {
        await bench.server.request('POST', `/v1/machines/${encodeURIComponent(bench.machine)}/reset`);
        Object.assign(now, { begin: performance.now(), next: 0, counter: 0 });
      }
      return undefined;
    },
  };
}

async function perform(station: Station, bench: Bench, playback: Playback, step: Step): Promise<void> {
  try {
    if (step.op === 'read') {
      const value = await station.read(step.address, step.size);
      if (step.address === MAIN_COUNTER && step.size >= 4) checkCounter(bench, playback, value);
    } else if (step.op === 'write') {
      await station.write(step.address, step.size, step.value);
      if (step.address === MAIN_COUNTER) playback.counter = Number(BigInt.asUintN(32, step.value));
    } else if (step.op === 'set_irq') await station.vcpu.setLine(step.pin, step.level ? 1 : 0);
    else if (step.op === 'eoi') await station.vcpu.endOfInterrupt(step.vector);
  } catch (error) {
    // Where no device answers, a bus reads 0.
    if (!(error instanceof RequestError && error.code === 'address-unassigned')) throw error;
  }
}

/** Guests read half of it, which wraps every 43 s: less than half of that lies between two reads. */
function checkCounter(bench: Bench, playback: Playback, value: number | bigint): void {
  const low = Number(BigInt.asUintN(32, BigInt(value)));
  if ((low - playback.counter) >>> 0 >= 2 ** 31) {
    bench.fault(`the guest read the low half of the main counter as ${low} after it had been ${playback.counter}`);
  }
  playback.counter = low;
}
