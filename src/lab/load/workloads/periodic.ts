import type { LoadedMachine, Workload } from '../loaded-machine.js';
import { ENABLE, PERIODIC, route, TICK_NS, VALUE_SET } from '../registers.js';
import { readCounter } from './counter-read.js';

const PERIOD_TICKS = 200_000;
const PERIOD_NS = PERIOD_TICKS * TICK_NS;
/** Deadlines are whole ns, and a tick of the counter can begin between two of them. */
const ROUNDING_NS = TICK_NS;

interface Tick {
  readonly deadline: number;
  readonly handled: number;
}

/** The last tick of each timer. */
const last = new WeakMap<LoadedMachine, Map<number, Tick>>();

/**
 * Periodic timers. After a tick with deadline d, reported at v, the next deadline is one of d + period, d + 2 × period, …
 * up to the first one after v. A later deadline means a lost tick, an earlier one a doubled tick.
 */
export const periodic: Workload = {
  name: 'periodic',
  summary: 'periodic timers at 500 Hz; a tick may be missing only if the next was due before the machine handled it',
  needs: 'timer',
  ownRate: true,
  async prepare(driver, { ioapic }) {
    await ioapic.write(driver, driver.pin, driver.vector, driver.index);
    const configuration = ENABLE | PERIODIC | route(driver.pin);
    driver.post(driver.configuration, 8, configuration | VALUE_SET);
    // The first value is the comparator's, the second the period: with equal values, the first tick is due one period after 0.
    driver.post(driver.comparator, 8, PERIOD_TICKS);
    await driver.write(driver.comparator, 8, PERIOD_TICKS);
  },
  async operate(driver, machine) {
    const begin = performance.now();
    const arrived = await driver.next(machine.patience);
    if (arrived === undefined)
      machine.ledger.missing(driver.index, `the timer of vCPU ${driver.index} has stopped ticking`);
    const waited = performance.now() - begin;
    await readCounter(driver, machine);
    return waited;
  },
  watch({ event, cause, timer, deadline, virtualTime }, machine) {
    if (event.kind !== 'apic' || cause !== 'timer') return;
    if (timer === undefined || deadline === undefined) return;
    const ticks = last.get(machine) ?? new Map<number, Tick>();
    last.set(machine, ticks);
    const before = ticks.get(timer);
    ticks.set(timer, { deadline, handled: virtualTime });
    if (!before) return;
    const periods = Math.max(0, Math.floor((before.handled - before.deadline) / PERIOD_NS)) + 1;
    const latest = before.deadline + periods * PERIOD_NS + ROUNDING_NS;
    const earliest = before.deadline + PERIOD_NS - ROUNDING_NS;
    if (deadline > latest)
      machine.ledger.missing(timer, `timer ${timer} was due by ${latest} ns, ticked for ${deadline}`);
    else if (deadline < earliest) machine.ledger.surplus(timer, `timer ${timer} ticked before ${earliest} ns again`);
  },
};
