import type { Bench, Workload } from '../bench.js';
import { ENABLE, MAIN_COUNTER, route, TICK_NS } from '../registers.js';
import type { Station } from '../station.js';

const SHORTEST_TICKS = 50_000;
const SPREAD_TICKS = 100_000;
const LONGEST_LEAD = 256;
/** Three hours. */
const FAR_TICKS = 2n ** 40n;

/** How long, in ticks of the main counter, a timer of this vCPU is armed for. */
export function ticksFor({ random, lead }: Station): number {
  return lead * (SHORTEST_TICKS + random.below(SPREAD_TICKS));
}

/**
 * Arms the timer for once. False if the counter may have passed the comparator before that was written: then one interrupt
 * may come or none, as the machine's profile has it, and next time the timer is armed for longer.
 */
export async function armOnce(station: Station, ticks: number): Promise<boolean> {
  const comparator = (await station.read(MAIN_COUNTER, 8)) + BigInt(ticks);
  station.post(station.comparator, 8, comparator);
  const isAhead = (await station.read(MAIN_COUNTER, 8)) < comparator;
  station.lead = isAhead ? Math.max(1, station.lead / 2) : Math.min(LONGEST_LEAD, station.lead * 2);
  return isAhead;
}

/**
 * Turns the timer off, and puts its comparator out of reach: turned on again it must not make up for what it missed. What
 * came of it before has arrived when this resolves.
 */
export async function disarm(station: Station, { fence }: Bench, configuration: number): Promise<void> {
  station.post(station.configuration, 8, configuration);
  await station.write(station.comparator, 8, (await station.read(MAIN_COUNTER, 8)) + FAR_TICKS);
  await fence.pass(station);
}

/** Waits for the one interrupt of a timer that was armed. */
export async function expectOne(station: Station, { ledger, patience }: Bench): Promise<void> {
  const came = await station.next(patience);
  if (came === undefined)
    ledger.missing(station.index, `a timer of vCPU ${station.index} was armed and never interrupted`);
}

/** What came although nothing was armed. */
export function expectNoMore(station: Station, { ledger }: Bench): void {
  for (let left = station.take(); left > 0; left--) {
    ledger.surplus(station.index, `an interrupt of vCPU ${station.index} had no cause`);
  }
}

export async function tick(station: Station, bench: Bench): Promise<number> {
  expectNoMore(station, bench);
  const ticks = ticksFor(station);
  if (await armOnce(station, ticks)) {
    await expectOne(station, bench);
    return (ticks * TICK_NS) / 1e6;
  }
  const begin = performance.now();
  await disarm(station, bench, route(station.pin));
  station.take(1);
  await station.write(station.configuration, 8, ENABLE | route(station.pin));
  return performance.now() - begin;
}

/** One-shots, as a tickless kernel programs them. */
export const timerTick: Workload = {
  name: 'timer-tick',
  summary: 'one-shot timers, as of a tickless kernel; each must interrupt exactly once',
  needs: 'timer',
  async prepare(station, { ioapic }) {
    await ioapic.write(station, station.pin, station.vector, station.index);
    await station.write(station.configuration, 8, ENABLE | route(station.pin));
  },
  operate: tick,
  finish: expectNoMore,
};
