import { QUIRKS } from '../quirks.js';
import type { HpetPorts } from './ports.js';
import * as R from './registers.js';
import * as S from './state.js';

/** Under either of these a line is lowered whether this timer holds it or not. */
const LOWERS_BLINDLY = QUIRKS['stale-line'] | QUIRKS['shared-line-drops'];

/**
 * From a timer's match to its interrupt: the status bits (IA-PC HPET 1.0a, 2.3.6), and the lines or FSB messages that
 * the timers' configuration registers choose (2.3.8).
 */
export class InterruptOutput {
  constructor(
    readonly state: S.HpetState,
    readonly ports: HpetPorts,
  ) {}

  /** The counter met the timer's comparator. */
  raise(timer: number): void {
    // The status bit of a level-triggered timer is set whether or not the timer is enabled.
    this.state.setPending(timer, this.state.isLevel(timer));
    this.deliver(timer);
  }

  /** Signals a match, or a status bit that was set when the timer's enable bit or the HPET's changed. */
  deliver(timer: number): void {
    const { state, ports } = this;
    if (!state.isEnabled(timer)) {
      if (state.hasQuirk(LOWERS_BLINDLY)) this.#lowerRoute(timer);
    } else if (this.#usesFsb(timer)) {
      ports.sendMsi(timer, state.get(timer, S.T_FSB_ADDRESS) >>> 0, state.get(timer, S.T_FSB_DATA) >>> 0);
    } else if (!state.isLevel(timer)) {
      ports.pulseLine(this.#route(timer), timer);
    } else {
      this.#hold(timer, this.#route(timer));
    }
    this.update(timer);
  }

  /** The timer's interrupt condition ended: an acknowledgement, or a switch from level to edge. */
  lower(timer: number): void {
    this.state.setPending(timer, false);
    if (this.state.hasQuirk(LOWERS_BLINDLY)) this.#lowerRoute(timer);
    this.update(timer);
  }

  /** Moves the line that a level timer holds to where the registers say. Under quirk `stale-line` it stays. */
  update(timer: number): void {
    const { state } = this;
    if (state.hasQuirk(QUIRKS['stale-line'])) return;
    if (state.isPending(timer) && state.isEnabled(timer) && state.isLevel(timer) && !this.#usesFsb(timer)) {
      const route = this.#route(timer);
      if (state.get(timer, S.T_HELD_LINE) !== 1 + route) this.#hold(timer, route);
    } else {
      this.#releaseHeld(timer);
    }
  }

  /** Lowers what the timer holds, for a reset. Under quirk `reset-keeps-line` a pending interrupt stays asserted. */
  release(timer: number): void {
    if (this.state.hasQuirk(QUIRKS['reset-keeps-line'])) {
      if (this.state.isPending(timer)) this.deliver(timer);
      return;
    }
    if (this.state.hasQuirk(QUIRKS['stale-line'])) this.ports.setLine(this.#route(timer), timer, 0);
    this.#releaseHeld(timer);
  }

  /** Raises a line for a level timer, or drives it again. */
  #hold(timer: number, line: number): void {
    const { state } = this;
    if (!state.hasQuirk(QUIRKS['stale-line']) && state.get(timer, S.T_HELD_LINE) !== 1 + line) {
      this.#releaseHeld(timer);
      state.set(timer, S.T_HELD_LINE, 1 + line);
    }
    this.ports.setLine(line, timer, 1);
  }

  #releaseHeld(timer: number): void {
    const held = this.state.get(timer, S.T_HELD_LINE);
    if (held === 0) return;
    this.state.set(timer, S.T_HELD_LINE, 0);
    this.ports.setLine(held - 1, timer, 0);
  }

  #lowerRoute(timer: number): void {
    if (!this.#usesFsb(timer)) this.ports.setLine(this.#route(timer), timer, 0);
  }

  #route(timer: number): number {
    return routeOf(this.state, timer);
  }

  #usesFsb(timer: number): boolean {
    return usesFsb(this.state, timer);
  }
}

/** The line that the timer drives; undefined if its interrupts are FSB messages. */
export function lineOf(state: S.HpetState, timer: number): number | undefined {
  return usesFsb(state, timer) ? undefined : routeOf(state, timer);
}

/** The line that the timer is routed to; legacy replacement decides for timers 0 and 1. */
function routeOf(state: S.HpetState, timer: number): number {
  if (timer <= 1 && state.isLegacy()) return timer === 0 ? R.LEGACY_PIT_LINE : R.LEGACY_RTC_LINE;
  return (state.get(timer, S.T_CONFIGURATION) >> R.INT_ROUTE_SHIFT) & R.INT_ROUTE_MASK;
}

/** Whether the timer's interrupts are FSB messages. */
function usesFsb(state: S.HpetState, timer: number): boolean {
  return (state.get(timer, S.T_CONFIGURATION) & R.FSB_EN_CNF) !== 0;
}
