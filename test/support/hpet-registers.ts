import * as R from '../../src/core/devices/hpet/registers.js';
import type { BenchMachine } from './bench-machine.js';

/** Register offsets of timer n. */
export const configurationOf = (timer: number) => R.TIMER_BLOCKS + timer * R.TIMER_BLOCK_SIZE + R.TIMER_CONFIGURATION;
export const comparatorOf = (timer: number) => R.TIMER_BLOCKS + timer * R.TIMER_BLOCK_SIZE + R.TIMER_COMPARATOR;
export const fsbRouteOf = (timer: number) => R.TIMER_BLOCKS + timer * R.TIMER_BLOCK_SIZE + R.TIMER_FSB_ROUTE;

/** Bits of a timer's configuration that make it interrupt on `line`. */
export const routed = (line: number) => R.INT_ENB_CNF | (line << R.INT_ROUTE_SHIFT);

export function turnOn(bench: BenchMachine, legacy = false): void {
  bench.writeHpet(R.GENERAL_CONFIGURATION, R.ENABLE_CNF | (legacy ? R.LEG_RT_CNF : 0));
}

export function turnOff(bench: BenchMachine): void {
  bench.writeHpet(R.GENERAL_CONFIGURATION, 0);
}

export function acknowledge(bench: BenchMachine, ...timers: number[]): void {
  bench.writeHpet(
    R.INTERRUPT_STATUS,
    timers.reduce((bits, timer) => bits | (1 << timer), 0),
  );
}

/** A one-shot timer that interrupts on `line` when the counter reaches `comparator`; `bits` are further ones. */
export function oneShot(bench: BenchMachine, timer: number, line: number, comparator: bigint | number, bits = 0): void {
  bench.writeHpet(configurationOf(timer), routed(line) | bits);
  bench.writeHpet(comparatorOf(timer), comparator);
}

/** A periodic timer that first interrupts at `first` and then every `period` ticks. */
export function periodic(
  bench: BenchMachine,
  timer: number,
  line: number,
  first: bigint | number,
  period: bigint | number,
  bits = 0,
): void {
  bench.writeHpet(configurationOf(timer), routed(line) | R.TYPE_CNF | R.VAL_SET_CNF | bits);
  bench.writeHpet(comparatorOf(timer), first);
  bench.writeHpet(comparatorOf(timer), period);
}
