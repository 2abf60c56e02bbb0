import type { LoadedMachine, Workload } from '../loaded-machine.js';
import { ENABLE, MAIN_COUNTER, route, TICK_NS } from '../registers.js';
import type { VcpuDriver } from '../vcpu-driver.js';

const SHORTEST_TICKS = 50_000;
const SPREAD_TICKS = 100_000;
const LONGEST_LEAD = 256;
/** Three hours. */
const FAR_TICKS = 2n ** 40n;

/** Time for which a timer of this vCPU is armed, in ticks of the main counter. */
export function ticksFor({ random, lead }: VcpuDriver): number {
  return lead * (SHORTEST_TICKS + random.below(SPREAD_TICKS));
}

/**
 * Arms the one-shot timer. False if the counter may have passed the comparator before the write: then one interrupt or
 * none arrives, depending on the machine's profile, and the next time the timer is armed for longer.
 */
export async function armOnce(driver: VcpuDriver, ticks: number): Promise<boolean> {
  const comparator = (await driver.read(MAIN_COUNTER, 8)) + BigInt(ticks);
  driver.post(driver.comparator, 8, comparator);
  const isAhead = (await driver.read(MAIN_COUNTER, 8)) < comparator;
  driver.lead = isAhead ? Math.max(1, driver.lead / 2) : Math.min(LONGEST_LEAD, driver.lead * 2);
  return isAhead;
}

/**
 * Disables the timer and moves its comparator far ahead, so that the timer does not catch up once enabled again. When
 * this resolves, every earlier interrupt of the timer has arrived.
 */
export async function disarm(driver: VcpuDriver, { fence }: LoadedMachine, configuration: number): Promise<void> {
  driver.post(driver.configuration, 8, configuration);
  await driver.write(driver.comparator, 8, (await driver.read(MAIN_COUNTER, 8)) + FAR_TICKS);
  await fence.pass(driver);
}

/** Waits for the one interrupt of an armed timer. */
export async function expectOne(driver: VcpuDriver, { ledger, patience }: LoadedMachine): Promise<void> {
  const arrived = await driver.next(patience);
  if (arrived === undefined)
    ledger.missing(driver.index, `a timer of vCPU ${driver.index} was armed and never interrupted`);
}

/** Reports interrupts that arrived while no timer was armed. */
export function expectNoMore(driver: VcpuDriver, { ledger }: LoadedMachine): void {
  for (let left = driver.take(); left > 0; left--) {
    ledger.surplus(driver.index, `an interrupt of vCPU ${driver.index} had no cause`);
  }
}

export async function tick(driver: VcpuDriver, machine: LoadedMachine): Promise<number> {
  expectNoMore(driver, machine);
  const ticks = ticksFor(driver);
  if (await armOnce(driver, ticks)) {
    await expectOne(driver, machine);
    return (ticks * TICK_NS) / 1e6;
  }
  const begin = performance.now();
  await disarm(driver, machine, route(driver.pin));
  driver.take(1);
  await driver.write(driver.configuration, 8, ENABLE | route(driver.pin));
  return performance.now() - begin;
}

/** One-shot timers, as a tickless kernel programs them. */
export const timerTick: Workload = {
  name: 'timer-tick',
  summary: 'one-shot timers, as a tickless kernel programs them; each must interrupt exactly once',
  needs: 'timer',
  async prepare(driver, { ioapic }) {
    await ioapic.write(driver, driver.pin, driver.vector, driver.index);
    await driver.write(driver.configuration, 8, ENABLE | route(driver.pin));
  },
  operate: tick,
  finish: expectNoMore,
};
