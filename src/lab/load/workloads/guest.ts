import { RequestError } from '../../../client/index.js';
import type { Step, Trace } from '../../replay/trace.js';
import type { LoadedMachine, Workload } from '../loaded-machine.js';
import { MAIN_COUNTER } from '../registers.js';
import type { VcpuDriver } from '../vcpu-driver.js';

interface Playback {
  /** `performance.now` at which the trace's clock was 0. */
  begin: number;
  /** The next record. */
  next: number;
  /** Low half of the main counter at the last read. */
  counter: number;
}

const LOGICAL_ID = 1;

/** Replays a recorded guest in real time, and restarts it at its end. */
export function guest({ lines }: Trace): Workload {
  const playbacks = new WeakMap<LoadedMachine, Playback>();

  const playback = (machine: LoadedMachine): Playback => {
    const found = playbacks.get(machine);
    if (found) return found;
    const fresh = { begin: machine.clock.begin, next: 0, counter: 0 };
    playbacks.set(machine, fresh);
    return fresh;
  };

  return {
    name: 'guest',
    summary: 'a recorded guest in real time',
    ownRate: true,
    isAlone: true,
    due(_driver, machine) {
      const { begin, next } = playback(machine);
      return begin + (lines[next].clock ?? 0) / 1e6;
    },
    async operate(driver, machine) {
      const now = playback(machine);
      if (now.next === 0) await driver.vcpu.setApic(LOGICAL_ID, 'flat');
      await perform(driver, machine, now, lines[now.next].step);
      // The replay does not wait for interrupts; the ledger checks that they arrive.
      driver.take();
      now.next++;
      if (now.next === lines.length) {
        await machine.server.request('POST', `/v1/machines/${encodeURIComponent(machine.name)}/reset`);
        Object.assign(now, { begin: performance.now(), next: 0, counter: 0 });
      }
      return undefined;
    },
  };
}

async function perform(driver: VcpuDriver, machine: LoadedMachine, playback: Playback, step: Step): Promise<void> {
  try {
    if (step.op === 'read') {
      const value = await driver.read(step.address, step.size);
      if (step.address === MAIN_COUNTER && step.size >= 4) checkCounter(machine, playback, value);
    } else if (step.op === 'write') {
      await driver.write(step.address, step.size, step.value);
      if (step.address === MAIN_COUNTER) playback.counter = Number(BigInt.asUintN(32, step.value));
    } else if (step.op === 'set_irq') await driver.vcpu.setLine(step.pin, step.level ? 1 : 0);
    else if (step.op === 'eoi') await driver.vcpu.endOfInterrupt(step.vector);
  } catch (error) {
    // The guest reads 0 where no device answers.
    if (!(error instanceof RequestError && error.code === 'address-unassigned')) throw error;
  }
}

/** Guests read the low half, which wraps every 43 s. Two reads are less than half of that apart. */
function checkCounter(machine: LoadedMachine, playback: Playback, value: number | bigint): void {
  const low = Number(BigInt.asUintN(32, BigInt(value)));
  if ((low - playback.counter) >>> 0 >= 2 ** 31) {
    machine.fault(`the guest read the low half of the main counter as ${low} after it had been ${playback.counter}`);
  }
  playback.counter = low;
}
