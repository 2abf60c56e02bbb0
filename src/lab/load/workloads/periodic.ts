import type { Bench, Workload } from '../bench.js';
import { ENABLE, PERIODIC, route, TICK_NS, VALUE_SET } from '../registers.js';
import { readCounter } from './counter-read.js';

const PERIOD_TICKS = 200_000;
const PERIOD_NS = PERIOD_TICKS * TICK_NS;
/** A deadline is a whole number of ns, and a tick of the counter may begin between two. */
const ROUNDING_NS = TICK_NS;

interface Tick {
  readonly deadline: number;
  readonly handled: number;
}

/** The last tick of each timer. */
const last = new WeakMap<Bench, Map<number, Tick>>();

/**
 * Periodic timers. After a tick that was due at d and told at v, the next is due at one of d + period, d + 2 × period, …
 * up to the first after v: a later one means that a tick was lost, an earlier one that it was doubled.
 */
export const periodic: Workload = {
  name: 'periodic',
  summary: 'periodic timers at 500 Hz; no tick may be missing, unless the next was due before it could be handled',
  needs: 'timer',
  ownPace: true,
  async prepare(station, { ioapic }) {
    await ioapic.write(station, station.pin, station.vector, station.index);
    const configuration = ENABLE | PERIODIC | route(station.pin);
    station.post(station.configuration, 8, configuration | VALUE_SET);
    // The first value is the comparator's, the second the period: both alike, the first tick is due one period from 0.
    station.post(station.comparator, 8, PERIOD_TICKS);
    await station.write(station.comparator, 8, PERIOD_TICKS);
  },
  async operate(station, bench) {
    const begin = performance.now();
    const came = await station.next(bench.patience);
    if (came === undefined) bench.ledger.missing(station.index, `the timer of vCPU ${station.index} ticks no more`);
    const waited = performance.now() - begin;
    await readCounter(station, bench);
    return waited;
  },
  watch({ event, cause, timer, deadline, virtualTime }, bench) {
    if (event.kind !== 'apic' || cause !== 'timer') return;
    if (timer === undefined || deadline === undefined) return;
    const ticks = last.get(bench) ?? new Map<number, Tick>();
    last.set(bench, ticks);
    const before = ticks.get(timer);
    ticks.set(timer, { deadline, handled: virtualTime });
    if (!before) return;
    const periods = Math.max(0, Math.floor((before.handled - before.deadline) / PERIOD_NS)) + 1;
    const latest = before.deadline + periods * PERIOD_NS + ROUNDING_NS;
    const earliest = before.deadline + PERIOD_NS - ROUNDING_NS;
    if (deadline > latest)
      bench.ledger.missing(timer, `timer ${timer} was due by ${latest} ns, ticked for ${deadline}`);
    else if (deadline < earliest) bench.ledger.surplus(timer, `timer ${timer} ticked before ${earliest} ns again`);
  },
};
