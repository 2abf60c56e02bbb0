import { SOURCE_PIT, SOURCE_RTC } from '../gsi/sources.js';
import { QUIRKS } from '../quirks.js';
import type { InterruptOutput } from './interrupt-output.js';
import type { HpetPorts } from './ports.js';
import * as R from './registers.js';
import * as S from './state.js';

/**
 * Legacy replacement, IA-PC HPET 1.0a section 2.3.5: while it is on, timers 0 and 1 have the lines of the PIT and the
 * RTC, whose own outputs go nowhere. The configuration register has changed already when `begin` or `end` is called.
 */
export class LegacyReplacement {
  constructor(
    readonly state: S.HpetState,
    readonly ports: HpetPorts,
    readonly output: InterruptOutput,
  ) {}

  begin(): void {
    this.ports.setPitGate(0);
    // Who takes a line over raises it before the other lowers it: no false edge.
    if (!this.#staysStale) this.#moveTimers();
    this.ports.setLine(R.LEGACY_PIT_LINE, SOURCE_PIT, 0);
    this.ports.setLine(R.LEGACY_RTC_LINE, SOURCE_RTC, 0);
    if (this.#staysStale) this.#lowerTimers();
  }

  end(): void {
    if (this.#staysStale) this.ports.setLine(R.LEGACY_PIT_LINE, 0, 0);
    this.#restoreInputs();
    // Timer 1 leaves line 8 to the RTC, without an edge if that is high.
    if (!this.#staysStale) this.#moveTimers();
    else if (!this.state.memory.get(S.RTC_LEVEL)) this.ports.setLine(R.LEGACY_RTC_LINE, 1, 0);
  }

  /** A reset ended legacy replacement. Under quirk `reset-keeps-line` no line goes low. */
  reset(): void {
    if (!this.state.hasQuirk(QUIRKS['reset-keeps-line'])) {
      this.end();
      return;
    }
    this.ports.setPitGate(1);
    if (this.state.memory.get(S.PIT_LEVEL)) this.ports.setLine(R.LEGACY_PIT_LINE, SOURCE_PIT, 1);
    if (this.state.memory.get(S.RTC_LEVEL)) this.ports.setLine(R.LEGACY_RTC_LINE, SOURCE_RTC, 1);
  }

  #restoreInputs(): void {
    const { memory } = this.state;
    this.ports.setLine(R.LEGACY_PIT_LINE, SOURCE_PIT, memory.get(S.PIT_LEVEL));
    this.ports.setPitGate(1);
    this.ports.setLine(R.LEGACY_RTC_LINE, SOURCE_RTC, memory.get(S.RTC_LEVEL));
  }

  /** The PIT (SOURCE_PIT) or RTC (SOURCE_RTC) drives its input. */
  setInput(source: number, level: number): void {
    const isPit = source === SOURCE_PIT;
    this.state.memory.set(isPit ? S.PIT_LEVEL : S.RTC_LEVEL, level);
    if (!this.state.isLegacy()) this.ports.setLine(isPit ? R.LEGACY_PIT_LINE : R.LEGACY_RTC_LINE, source, level);
  }

  /** Under quirk `stale-line` the two legacy lines go low, and what timers hold does not follow them. */
  get #staysStale(): boolean {
    return this.state.hasQuirk(QUIRKS['stale-line']);
  }

  #lowerTimers(): void {
    this.ports.setLine(R.LEGACY_PIT_LINE, 0, 0);
    this.ports.setLine(R.LEGACY_RTC_LINE, 1, 0);
  }

  #moveTimers(): void {
    this.output.update(0);
    this.output.update(1);
  }
}
