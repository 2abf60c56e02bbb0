import { type GuestRequest, HPET, IOAPIC, write } from '../requests.js';
import type { Preparation } from '../scenario.js';

/** Common preparations: timers in the state that a conflict needs. One tick is 10 ns. */

/**
 * Timer 0, periodic and level-triggered on GSI 4, every 1,000 ticks: fired at 10 µs, its interrupt not acknowledged.
 */
export const pendingLevelTimer: readonly Preparation[] = [
  write(HPET.timer(0), HPET.LEVEL | HPET.ENABLE | HPET.PERIODIC | HPET.VAL_SET | HPET.route(4)),
  write(HPET.comparator(0), 1000),
  write(HPET.CONFIGURATION, HPET.ON),
  { mainLoopAt: 10_000 },
];

/** A timer, periodic and edge-triggered, every 1,000 ticks, before the HPET is turned on. */
export function edgeTimer(timer: number, line: number): readonly GuestRequest[] {
  return [
    write(HPET.timer(timer), HPET.ENABLE | HPET.PERIODIC | HPET.VAL_SET | HPET.route(line)),
    write(HPET.comparator(timer), 1000),
  ];
}

/** A timer, one-shot and edge-triggered, at a tick, before the HPET is turned on. */
export function oneShot(timer: number, line: number, tick: number): readonly GuestRequest[] {
  return [write(HPET.timer(timer), HPET.ENABLE | HPET.route(line)), write(HPET.comparator(timer), tick)];
}

export const turnOn: GuestRequest = write(HPET.CONFIGURATION, HPET.ON);

/** Selects a redirection entry's low half and writes it. */
export function redirect(pin: number, entry: number): readonly GuestRequest[] {
  return [write(IOAPIC.SELECT, IOAPIC.entry(pin), 4), write(IOAPIC.WINDOW, entry, 4)];
}
