import type { Memory } from '../../memory/memory.js';
import { U64 } from '../../memory/u64.js';
import { SOURCE_RTC } from '../gsi/sources.js';
import { QUIRKS } from '../quirks.js';
import { Comparators } from './comparators.js';
import { InterruptOutput } from './interrupt-output.js';
import { LegacyReplacement } from './legacy-replacement.js';
import { MainCounter } from './main-counter.js';
import type { HpetPorts } from './ports.js';
import * as R from './registers.js';
import * as S from './state.js';
import { TimerBlocks } from './timer-blocks.js';

export interface HpetOptions {
  /** Number of timers, 3 to 24. */
  readonly timers: number;
  /** Whether the timers report the FSB (MSI) delivery capability. */
  readonly msi: boolean;
  /** Bits 63:32 of every timer's configuration register: the lines it can be routed to. */
  readonly routingCapability: number;
  /** Quirk bits, see `quirks.ts`. */
  readonly quirks: number;
  /** Turning the HPET on or off raises interrupts while readers of the main counter are held up, as in QEMU 10.2. */
  readonly legacySequenceLock?: boolean;
}

/**
 * High Precision Event Timers, IA-PC HPET 1.0a: a 64-bit main counter and 3 to 24 timers. Decodes the 1 KiB of registers
 * and holds the general ones (2.3.4 to 2.3.7).
 *
 * All state is in shared memory; one object serves every machine of a thread. The caller holds the HPET's guard, except
 * for reads of the main counter, which need none.
 */
export class Hpet {
  readonly counter: MainCounter;
  readonly #state: S.HpetState;
  readonly #output: InterruptOutput;
  readonly #comparators: Comparators;
  readonly #blocks: TimerBlocks;
  readonly #legacy: LegacyReplacement;
  readonly #scratch = new U64();

  constructor(
    readonly memory: Memory,
    readonly ports: HpetPorts,
  ) {
    this.counter = new MainCounter(memory);
    this.#state = new S.HpetState(memory);
    this.#output = new InterruptOutput(this.#state, ports);
    this.#comparators = new Comparators(this.#state, this.counter, ports, this.#output);
    this.#blocks = new TimerBlocks(this.#state, this.#comparators, this.#output);
    this.#legacy = new LegacyReplacement(this.#state, ports, this.#output);
  }

  /** Makes a new HPET in zeroed memory, as after power-on. */
  create(options: HpetOptions): void {
    this.memory.set(S.TIMER_COUNT, options.timers);
    this.memory.set(S.FSB_CAPABLE, options.msi ? 1 : 0);
    this.memory.set(S.ROUTING_CAPABILITY, options.routingCapability);
    this.memory.set(S.QUIRK_BITS, options.quirks);
    this.memory.set(S.LEGACY_SEQUENCE_LOCK, options.legacySequenceLock ? 1 : 0);
    this.#powerOn();
  }

  /** Reset: registers as after power-on, timers cancelled, lines low. The PIT and RTC inputs keep their levels. */
  reset(): void {
    for (let timer = 0; timer < this.timers; timer++) {
      this.#comparators.cancel(timer);
      this.#output.release(timer);
    }
    const legacy = this.#state.isLegacy();
    this.#powerOn();
    const clearsRtc = this.#state.hasQuirk(QUIRKS['reset-clears-rtc']);
    if (clearsRtc) this.memory.set(S.RTC_LEVEL, 0);
    if (legacy) this.#legacy.reset();
    if (clearsRtc) this.#legacy.setInput(SOURCE_RTC, 0);
  }

  #powerOn(): void {
    this.counter.reset(this.#state.hasQuirk(QUIRKS['huge-comparator']));
    this.memory.set(S.CONFIGURATION, 0);
    const keepsStatus = this.#state.hasQuirk(QUIRKS['reset-keeps-status']);
    for (let timer = 0; timer < this.timers; timer++) {
      if (!keepsStatus || !this.#state.isLevel(timer)) this.#state.setPending(timer, false);
      this.#blocks.powerOn(timer);
    }
  }

  get timers(): number {
    return this.#state.timers;
  }

  /** Whether turning the HPET on or off holds up readers of the main counter: `legacySequenceLock`. */
  get holdsReaders(): boolean {
    return this.memory.get(S.LEGACY_SEQUENCE_LOCK) !== 0;
  }

  /** The PIT (SOURCE_PIT) or RTC (SOURCE_RTC) drives its input, which reaches a line while legacy replacement is off. */
  setLegacyInput(source: number, level: number): void {
    this.#legacy.setInput(source, level);
  }

  /** The armed deadline of a timer has come. */
  expire(timer: number): void {
    this.#comparators.expire(timer);
  }

  /** Makes the state that is to be copied what it would be if all timers were armed. */
  settleUnobserved(): void {
    for (let timer = 0; timer < this.timers; timer++) this.#comparators.settleUnobserved(timer);
  }

  /** Whether a read at this offset may be made without the HPET's guard: the main counter, as a register. */
  static isMainCounter(offset: number, size: number): boolean {
    return size >= 4 && (offset & ~4) === R.MAIN_COUNTER;
  }

  /** Whether any of `size` bytes at this offset, of whatever alignment, are of the main counter. */
  static touchesMainCounter(offset: number, size: number): boolean {
    return offset < R.MAIN_COUNTER + 8 && offset + size > R.MAIN_COUNTER;
  }

  // Reads

  /** Reads `size` bytes at `offset`, naturally aligned, into `result`. Sizes 1 and 2, and reserved registers, read 0. */
  read(offset: number, size: number, result: U64): void {
    result.set(0, 0);
    if (size < 4) return;
    if (offset >= R.TIMER_BLOCKS) {
      const timer = timerAt(offset);
      if (timer < this.timers) this.#blocks.read(timer, registerAt(offset), result);
    } else {
      this.#readGeneral(offset & ~7, result);
    }
    if (offset & 4) result.lo = result.hi;
    if (size === 4) result.hi = 0;
  }

  #readGeneral(register: number, result: U64): void {
    switch (register) {
      case R.GENERAL_CAPABILITIES:
        result.set(R.CAPABILITIES_LOW | ((this.timers - 1) << R.CAPABILITIES_LAST_TIMER_SHIFT), R.TICK_FS);
        break;
      case R.GENERAL_CONFIGURATION:
        result.set(this.memory.get(S.CONFIGURATION), 0);
        break;
      case R.INTERRUPT_STATUS:
        result.set(this.memory.get(S.STATUS), 0);
        break;
      case R.MAIN_COUNTER:
        this.counter.read(result, this.ports);
        break;
    }
  }

  // Writes

  /** Writes `size` bytes at `offset`, naturally aligned. Sizes 1 and 2 write nothing. */
  write(offset: number, size: number, value: U64): void {
    if (size < 4) return;
    const high = (offset & 4) !== 0;
    if (offset >= R.TIMER_BLOCKS) {
      const timer = timerAt(offset);
      if (timer < this.timers) this.#blocks.write(timer, registerAt(offset), high, size, value);
      return;
    }
    switch (offset & ~7) {
      case R.GENERAL_CONFIGURATION:
        if (!high) this.#writeConfiguration(value.lo);
        break;
      case R.INTERRUPT_STATUS:
        if (!high) this.#acknowledge(value.lo);
        break;
      case R.MAIN_COUNTER:
        this.#writeCounter(high, size, value);
        break;
    }
  }

  #writeConfiguration(written: number): void {
    const configuration = written & R.GENERAL_CONFIGURATION_WRITABLE;
    const changed = this.memory.get(S.CONFIGURATION) ^ configuration;
    if (changed === 0) return;
    const isTurned = (changed & R.ENABLE_CNF) !== 0;
    const holdsReaders = isTurned && this.holdsReaders;
    if (holdsReaders) this.counter.holdReaders();
    const isTurnedOff = isTurned && this.#state.isOn();
    if (isTurnedOff) this.#settleBefore(this.counter.halt(this.ports, this.#scratch));
    else this.#settle();
    this.memory.set(S.CONFIGURATION, configuration);
    if (isTurnedOff) this.#turnOff();
    else if (isTurned) this.#turnOn();
    if (holdsReaders) this.counter.releaseReaders();
    if (changed & R.LEG_RT_CNF) {
      if (configuration & R.LEG_RT_CNF) this.#legacy.begin();
      else this.#legacy.end();
    }
  }

  #turnOn(): void {
    const time = this.ports.now();
    this.counter.start(time);
    for (let timer = 0; timer < this.timers; timer++) {
      if (this.#state.isPending(timer) && this.#state.isEnabled(timer)) this.#output.raise(timer);
      this.#comparators.schedule(timer, time);
    }
  }

  /** The counter is halted. Status bits survive, the lines go low. */
  #turnOff(): void {
    for (let timer = 0; timer < this.timers; timer++) {
      this.#comparators.cancel(timer);
      if (this.#state.isPending(timer)) this.#output.raise(timer);
    }
  }

  #acknowledge(written: number): void {
    for (let timer = 0; timer < this.timers; timer++) {
      if (written & (1 << timer) && this.#state.isPending(timer)) this.#output.lower(timer);
    }
  }

  #writeCounter(high: boolean, size: number, value: U64): void {
    if (this.#state.isOn() && this.#state.hasQuirk(QUIRKS['counter-write-running'])) return;
    const time = this.counter.change(this.ports, this.#scratch, (counter) => {
      if (size === 8) counter.copy(value);
      else if (high) counter.hi = value.lo;
      else counter.lo = value.lo;
    });
    if (time === undefined) return;
    this.#settleBefore(time);
    for (let timer = 0; timer < this.timers; timer++) this.#comparators.schedule(timer, time);
  }

  /** The counter changed at `time` (virtual ns). The matches that it met until then come before the change. */
  #settleBefore(time: number): void {
    this.counter.asBefore(() => this.#settle(time));
  }

  /** Expires the timers whose matches come before a write; `time` is that of the write, if it has read the clock. */
  #settle(time?: number): void {
    let now = time;
    for (let timer = 0; timer < this.timers; timer++) now = this.#comparators.settle(timer, now);
  }
}

/** The timer whose block holds the register at `offset`; it may be one that this HPET has not. */
function timerAt(offset: number): number {
  return Math.floor((offset - R.TIMER_BLOCKS) / R.TIMER_BLOCK_SIZE);
}

/** The register at `offset` in its timer's block. */
function registerAt(offset: number): number {
  return offset & (R.TIMER_BLOCK_SIZE - 8);
}
