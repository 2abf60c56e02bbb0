import type { Memory } from '../../memory/memory.js';
import { U64 } from '../../memory/u64.js';
import { SOURCE_PIT, SOURCE_RTC } from '../gsi/sources.js';
import { QUIRKS } from '../quirks.js';
import { catchUp } from './comparator.js';
import { MainCounter } from './main-counter.js';
import type { HpetPorts } from './ports.js';
import * as R from './registers.js';
import * as S from './state.js';

/** Nanoseconds by which a periodic deadline follows the last one at least (quirk `min-1us`). */
const MINIMUM_PERIOD_NS = 1000;

export interface HpetOptions {
  /** Number of timers, 3 to 24. */
  readonly timers: number;
  /** Whether the timers report the FSB (MSI) delivery capability. */
  readonly msi: boolean;
  /** Bits 63:32 of every timer's configuration register: the lines it can be routed to. */
  readonly routingCapability: number;
  /** Quirk bits, see `quirks.ts`. */
  readonly quirks: number;
}

/**
 * High Precision Event Timers, IA-PC HPET 1.0a: a 64-bit main counter and 3 to 24 timers.
 *
 * All state is in shared memory; one object serves every machine of a thread. The caller holds the HPET's guard, except
 * for reads of the main counter, which need none.
 */
export class Hpet {
  readonly counter: MainCounter;
  readonly #now = new U64();
  readonly #target = new U64();
  readonly #period = new U64();
  readonly #deadline = new U64();
  readonly #scratch = new U64();

  constructor(
    readonly memory: Memory,
    readonly ports: HpetPorts,
  ) {
    this.counter = new MainCounter(memory);
  }

  /** Makes a new HPET in zeroed memory, as after power-on. */
  create(options: HpetOptions): void {
    this.memory.set(S.TIMER_COUNT, options.timers);
    this.memory.set(S.FSB_CAPABLE, options.msi ? 1 : 0);
    this.memory.set(S.ROUTING_CAPABILITY, options.routingCapability);
    this.memory.set(S.QUIRK_BITS, options.quirks);
    this.#powerOn();
  }

  /** Reset: registers as after power-on, timers cancelled, lines low. The PIT and RTC inputs keep their levels. */
  reset(): void {
    for (let timer = 0; timer < this.timers; timer++) {
      this.ports.cancel(timer);
      this.#lowerHeldLine(timer);
    }
    const legacy = this.#isLegacy();
    this.#powerOn();
    if (legacy) this.#connectLegacyInputs();
  }

  get timers(): number {
    return this.memory.get(S.TIMER_COUNT);
  }

  // Predicates

  /** Whether a read at this offset may be made without the HPET's guard: the main counter, as a register. */
  static isMainCounter(offset: number, size: number): boolean {
    return size >= 4 && (offset & ~4) === R.MAIN_COUNTER;
  }

  #hasQuirk(bit: number): boolean {
    return (this.memory.get(S.QUIRK_BITS) & bit) !== 0;
  }

  #isOn(): boolean {
    return (this.memory.get(S.CONFIGURATION) & R.ENABLE_CNF) !== 0;
  }

  #isLegacy(): boolean {
    return (this.memory.get(S.CONFIGURATION) & R.LEG_RT_CNF) !== 0;
  }

  #isPending(timer: number): boolean {
    return (this.memory.get(S.STATUS) & (1 << timer)) !== 0;
  }

  #configuration(timer: number): number {
    return this.memory.get(word(timer, S.T_CONFIGURATION));
  }

  #isPeriodic(timer: number): boolean {
    return (this.#configuration(timer) & R.TYPE_CNF) !== 0;
  }

  #is32Bit(timer: number): boolean {
    return (this.#configuration(timer) & R.MODE32_CNF) !== 0;
  }

  /** The line that the timer is routed to; legacy replacement decides for timers 0 and 1. */
  #lineOf(timer: number): number {
    if (timer <= 1 && this.#isLegacy()) return timer === 0 ? R.LEGACY_PIT_LINE : R.LEGACY_RTC_LINE;
    return (this.#configuration(timer) >> R.INT_ROUTE_SHIFT) & R.INT_ROUTE_MASK;
  }

  /** Whether the timer may interrupt: its own enable bit and the HPET's. */
  #isEnabled(timer: number): boolean {
    return (this.#configuration(timer) & R.INT_ENB_CNF) !== 0 && this.#isOn();
  }

  /** Whether the timer's interrupts are FSB messages. Without the capability the enable bit is stored and ignored. */
  #usesFsb(timer: number): boolean {
    if (!(this.#configuration(timer) & R.FSB_EN_CNF)) return false;
    return this.memory.get(S.FSB_CAPABLE) !== 0 || this.#hasQuirk(QUIRKS['fsb-without-capability']);
  }

  // Interrupts

  /** The timer's interrupt condition came true: a match, or an enable with the status bit set. */
  #raise(timer: number): void {
    const level = (this.#configuration(timer) & R.INT_TYPE_CNF) !== 0;
    // 2.3.6: the status bit of a level-triggered timer is set whether or not the timer is enabled.
    this.#setStatus(timer, level);
    if (this.#isEnabled(timer)) {
      if (this.#usesFsb(timer)) {
        const fsbAddress = this.memory.get(word(timer, S.T_FSB_ADDRESS)) >>> 0;
        this.ports.sendMsi(timer, fsbAddress, this.memory.get(word(timer, S.T_FSB_DATA)) >>> 0);
      } else if (!level) {
        this.ports.pulseLine(timer, this.#lineOf(timer));
      } else if (this.#hasQuirk(QUIRKS['stale-line'])) {
        this.ports.setLine(timer, this.#lineOf(timer), 1);
      }
    } else if (!this.#usesFsb(timer) && this.#hasQuirk(QUIRKS['stale-line'] | QUIRKS['shared-line-drops'])) {
      this.ports.setLine(timer, this.#lineOf(timer), 0);
    }
    this.#updateHeldLine(timer);
  }

  /** The timer's interrupt condition ended: an acknowledgement, or a switch from level to edge. */
  #lower(timer: number): void {
    this.#setStatus(timer, false);
    if (this.#hasQuirk(QUIRKS['stale-line']) && !this.#usesFsb(timer)) {
      this.ports.setLine(timer, this.#lineOf(timer), 0);
    }
    this.#updateHeldLine(timer);
  }

  #setStatus(timer: number, pending: boolean): void {
    const status = this.memory.get(S.STATUS);
    this.memory.set(S.STATUS, pending ? status | (1 << timer) : status & ~(1 << timer));
  }

  /** Moves the line that a level timer holds to where the registers say. Under quirk `stale-line` it stays. */
  #updateHeldLine(timer: number): void {
    if (this.#hasQuirk(QUIRKS['stale-line'])) return;
    const byLine = (this.#configuration(timer) & R.INT_TYPE_CNF) !== 0 && !this.#usesFsb(timer);
    const wanted = byLine && this.#isPending(timer) && this.#isEnabled(timer) ? 1 + this.#lineOf(timer) : 0;
    const held = this.memory.get(word(timer, S.T_HELD_LINE));
    if (wanted === held) return;
    this.memory.set(word(timer, S.T_HELD_LINE), wanted);
    if (held) this.ports.setLine(timer, held - 1, 0);
    if (wanted) this.ports.setLine(timer, wanted - 1, 1);
  }

  #lowerHeldLine(timer: number): void {
    if (this.#hasQuirk(QUIRKS['stale-line'])) this.ports.setLine(timer, this.#lineOf(timer), 0);
    const held = this.memory.get(word(timer, S.T_HELD_LINE));
    this.memory.set(word(timer, S.T_HELD_LINE), 0);
    if (held) this.ports.setLine(timer, held - 1, 0);
  }

  // Deadlines

  /** Arms the timer for counter value `tick`. */
  #armAt(timer: number, tick: U64): void {
    const deadline = this.#deadline;
    this.counter.timeOf(tick, deadline);
    if (this.#isPeriodic(timer) && this.#hasQuirk(QUIRKS['min-1us'])) this.#stretch(timer, deadline);
    this.#store(timer, S.T_LAST_DEADLINE, deadline);
    this.ports.arm(timer, deadline.toSigned());
  }

  /** Puts off a deadline that follows the last one by less than a microsecond, compared as unsigned numbers. */
  #stretch(timer: number, deadline: U64): void {
    const last = this.#load(timer, S.T_LAST_DEADLINE, this.#scratch);
    const lastLow = last.lo;
    const lastHigh = last.hi;
    last.set(deadline.lo - lastLow, deadline.hi - lastHigh - (deadline.lo < lastLow ? 1 : 0));
    if (last.hi === 0 && last.lo < MINIMUM_PERIOD_NS) deadline.set(lastLow, lastHigh).addParts(MINIMUM_PERIOD_NS, 0);
  }

  /** Arms the timer as its registers say, whether it is enabled or not; the HPET is on. */
  #setTimer(timer: number): void {
    const now = this.#now;
    const target = this.#target;
    this.counter.valueAt(now, this.ports.now());
    this.#load(timer, S.T_COMPARATOR, target);
    const flags = this.#flags(timer) & ~S.WRAP_FLAG;
    const spent = (flags & S.EXPIRED_FLAG) !== 0 && !this.#hasQuirk(QUIRKS['expired-fires-again']);

    if (this.#is32Bit(timer)) {
      // The match is where the low half of the counter next equals the comparator.
      target.hi = now.hi;
      if (target.isBelow(now) || (spent && target.equals(now))) target.addParts(0, 1);
      this.#store(timer, S.T_TARGET, target);
      if (!this.#isPeriodic(timer) && target.hi !== now.hi && target.lo !== 0) {
        // 2.3.9.2.1: a 32-bit one-shot timer also interrupts when the low half wraps.
        this.#setFlags(timer, flags | S.WRAP_FLAG);
        this.#armAt(timer, now.set(0, target.hi));
        return;
      }
    } else {
      this.#store(timer, S.T_TARGET, target);
      if (!this.#isReachable(target, now, spent)) {
        this.#setFlags(timer, flags);
        this.ports.cancel(timer);
        return;
      }
    }
    this.#setFlags(timer, flags);
    this.#armAt(timer, target);
  }

  /** Whether a 64-bit match is to be armed: not one that is only met after a wrap of 2^64, nor a spent one. */
  #isReachable(target: U64, now: U64, spent: boolean): boolean {
    if (spent && !now.isBelow(target)) return false;
    if (this.#hasQuirk(QUIRKS['huge-comparator'])) return true;
    if (target.isBelow(now) && this.#hasQuirk(QUIRKS['past-fires'])) return true;
    const ahead = this.#scratch.copy(target).subtract(now);
    return ahead.toNumber() < Number.MAX_SAFE_INTEGER / R.TICK_NS;
  }

  /** The armed deadline of a timer has come. */
  expire(timer: number): void {
    const target = this.#load(timer, S.T_TARGET, this.#target);
    const period = this.#load(timer, S.T_PERIOD, this.#period);
    const flags = this.#flags(timer);
    if (this.#isPeriodic(timer) && !period.isZero()) {
      this.counter.valueAt(this.#now, this.ports.now());
      catchUp(target, this.#now, period, !this.#hasQuirk(QUIRKS['periodic-double']), this.#scratch);
      this.#store(timer, S.T_TARGET, target);
      this.memory.set(word(timer, S.T_COMPARATOR), target.lo);
      this.memory.set(word(timer, S.T_COMPARATOR) + 1, this.#is32Bit(timer) ? 0 : target.hi);
      this.#armAt(timer, target);
    } else if (flags & S.WRAP_FLAG) {
      this.#setFlags(timer, flags & ~S.WRAP_FLAG);
      this.#armAt(timer, target);
    } else {
      this.#setFlags(timer, flags | S.EXPIRED_FLAG);
    }
    this.#raise(timer);
  }

  // Writes

  /** Writes `size` bytes at `offset`, naturally aligned. Sizes 1 and 2 write nothing. */
  write(offset: number, size: number, value: U64): void {
    if (size < 4) return;
    const high = (offset & 4) !== 0;
    if (offset >= R.TIMER_BLOCKS) {
      const timer = (offset - R.TIMER_BLOCKS) >> 5;
      if (timer < this.timers) this.#writeTimer(timer, offset & 0x18, high, size, value);
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
    const old = this.memory.get(S.CONFIGURATION);
    const configuration = written & R.GENERAL_CONFIGURATION_WRITABLE;
    const changed = old ^ configuration;
    this.memory.set(S.CONFIGURATION, configuration);
    if (changed & R.ENABLE_CNF) {
      if (configuration & R.ENABLE_CNF) this.#turnOn();
      else this.#turnOff();
    }
    if (changed & R.LEG_RT_CNF) {
      if (configuration & R.LEG_RT_CNF) this.#disconnectLegacyInputs();
      else this.#connectLegacyInputs();
    }
  }

  #turnOn(): void {
    this.counter.start(this.ports.now());
    for (let timer = 0; timer < this.timers; timer++) {
      if (this.#isPending(timer) && this.#isEnabled(timer)) this.#raise(timer);
      this.#setTimer(timer);
    }
  }

  /** Status bits survive, the lines go low. */
  #turnOff(): void {
    this.counter.halt(this.ports.now(), this.#scratch);
    for (let timer = 0; timer < this.timers; timer++) {
      this.ports.cancel(timer);
      if (this.#isPending(timer)) this.#raise(timer);
    }
  }

  #disconnectLegacyInputs(): void {
    this.ports.setPitGate(0);
    this.ports.setLine(SOURCE_PIT, R.LEGACY_PIT_LINE, 0);
    this.ports.setLine(SOURCE_RTC, R.LEGACY_RTC_LINE, 0);
    this.#updateHeldLine(0);
    this.#updateHeldLine(1);
  }

  #connectLegacyInputs(): void {
    this.#updateHeldLine(0);
    this.#updateHeldLine(1);
    this.ports.setLine(
      SOURCE_PIT,
      R.LEGACY_PIT_LINE,
      this.#hasQuirk(QUIRKS['stale-line']) ? 0 : this.memory.get(S.PIT_LEVEL),
    );
    this.ports.setPitGate(1);
    this.ports.setLine(SOURCE_RTC, R.LEGACY_RTC_LINE, this.memory.get(S.RTC_LEVEL));
  }

  /** The PIT (SOURCE_PIT) or RTC (SOURCE_RTC) drives its input, which reaches a line while legacy replacement is off. */
  setLegacyInput(source: number, level: number): void {
    this.memory.set(source === SOURCE_PIT ? S.PIT_LEVEL : S.RTC_LEVEL, level);
    if (!this.#isLegacy())
      this.ports.setLine(source, source === SOURCE_PIT ? R.LEGACY_PIT_LINE : R.LEGACY_RTC_LINE, level);
  }

  #acknowledge(written: number): void {
    for (let timer = 0; timer < this.timers; timer++) {
      if (written & (1 << timer) && this.#isPending(timer)) this.#lower(timer);
    }
  }

  #writeCounter(high: boolean, size: number, value: U64): void {
    const running = this.#isOn();
    if (running && this.#hasQuirk(QUIRKS['counter-write-running'])) return;
    const counter = this.#now;
    const now = running ? this.ports.now() : 0;
    if (running) this.counter.halt(now, counter);
    this.counter.read(counter, this.ports);
    deposit(counter, high, size, value);
    this.counter.write(counter);
    if (!running) return;
    this.counter.start(now);
    for (let timer = 0; timer < this.timers; timer++) this.#setTimer(timer);
  }

  #writeTimer(timer: number, register: number, high: boolean, size: number, value: U64): void {
    switch (register) {
      case R.TIMER_CONFIGURATION:
        this.#writeTimerConfiguration(timer, high ? this.#configuration(timer) : value.lo);
        break;
      case R.TIMER_COMPARATOR:
        this.#writeComparator(timer, high, size, value);
        break;
      case R.TIMER_FSB_ROUTE:
        if (!high) this.memory.set(word(timer, S.T_FSB_DATA), value.lo);
        if (high || size === 8) this.memory.set(word(timer, S.T_FSB_ADDRESS), high ? value.lo : value.hi);
        break;
    }
  }

  #writeTimerConfiguration(timer: number, written: number): void {
    const old = this.#configuration(timer);
    const writable = R.TIMER_CONFIGURATION_WRITABLE;
    const configuration = (old & ~writable) | (written & writable);
    const activated = configuration & ~old;
    // Lowered before the route and delivery change: afterwards it would be another line, or none.
    if (old & ~configuration & R.INT_TYPE_CNF) this.#lower(timer);
    this.memory.set(word(timer, S.T_CONFIGURATION), configuration);
    if (activated & R.INT_ENB_CNF && this.#isPending(timer)) this.#raise(timer);
    else this.#updateHeldLine(timer);
    if (configuration & R.MODE32_CNF) {
      this.memory.set(word(timer, S.T_COMPARATOR) + 1, 0);
      this.memory.set(word(timer, S.T_PERIOD) + 1, 0);
    }
    if (this.#isOn()) this.#setTimer(timer);
  }

  #writeComparator(timer: number, high: boolean, size: number, value: U64): void {
    let wide = size;
    if (this.#is32Bit(timer)) {
      if (high) return;
      value.hi = 0;
      wide = 8;
    }
    const configuration = this.#configuration(timer);
    const periodic = (configuration & R.TYPE_CNF) !== 0;
    if (!periodic || configuration & R.VAL_SET_CNF) this.#depositInto(timer, S.T_COMPARATOR, high, wide, value);
    if (periodic) this.#depositInto(timer, S.T_PERIOD, high, wide, value);
    this.memory.set(word(timer, S.T_CONFIGURATION), configuration & ~R.VAL_SET_CNF);
    this.#setFlags(timer, this.#flags(timer) & ~S.EXPIRED_FLAG);
    if (this.#isOn()) this.#setTimer(timer);
  }

  // Reads

  /** Reads `size` bytes at `offset`, naturally aligned, into `result`. Sizes 1 and 2, and reserved registers, read 0. */
  read(offset: number, size: number, result: U64): void {
    result.set(0, 0);
    if (size < 4) return;
    if (offset >= R.TIMER_BLOCKS) {
      const timer = (offset - R.TIMER_BLOCKS) >> 5;
      if (timer < this.timers) this.#readTimer(timer, offset & 0x18, result);
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

  #readTimer(timer: number, register: number, result: U64): void {
    switch (register) {
      case R.TIMER_CONFIGURATION:
        result.set(this.#configuration(timer), this.memory.get(S.ROUTING_CAPABILITY));
        break;
      case R.TIMER_COMPARATOR:
        this.#load(timer, S.T_COMPARATOR, result);
        break;
      case R.TIMER_FSB_ROUTE:
        result.set(this.memory.get(word(timer, S.T_FSB_DATA)), this.memory.get(word(timer, S.T_FSB_ADDRESS)));
        break;
    }
  }

  // Access to state

  #powerOn(): void {
    this.counter.reset(this.#hasQuirk(QUIRKS['huge-comparator']));
    this.memory.set(S.CONFIGURATION, 0);
    this.memory.set(S.STATUS, 0);
    const capabilities = R.PER_INT_CAP | R.SIZE_CAP | (this.memory.get(S.FSB_CAPABLE) ? R.FSB_INT_DEL_CAP : 0);
    for (let timer = 0; timer < this.timers; timer++) {
      for (let offset = 0; offset < S.TIMER_WORDS; offset++) this.memory.set(word(timer, offset), 0);
      this.memory.set(word(timer, S.T_CONFIGURATION), capabilities);
      this.#store(timer, S.T_COMPARATOR, this.#scratch.set(0xffff_ffff, 0xffff_ffff));
    }
  }

  #flags(timer: number): number {
    return this.memory.get(word(timer, S.T_FLAGS));
  }

  #setFlags(timer: number, flags: number): void {
    this.memory.set(word(timer, S.T_FLAGS), flags);
  }

  #load(timer: number, field: number, into: U64): U64 {
    const address = word(timer, field);
    return into.set(this.memory.get(address), this.memory.get(address + 1));
  }

  #store(timer: number, field: number, value: U64): void {
    const address = word(timer, field);
    this.memory.set(address, value.lo);
    this.memory.set(address + 1, value.hi);
  }

  #depositInto(timer: number, field: number, high: boolean, size: number, value: U64): void {
    const register = this.#load(timer, field, this.#scratch);
    deposit(register, high, size, value);
    this.#store(timer, field, register);
  }
}

function word(timer: number, field: number): number {
  return S.TIMERS + timer * S.TIMER_WORDS + field;
}

/** Writes 4 bytes of `value` into the low or high half of a register, or all 8. */
function deposit(register: U64, high: boolean, size: number, value: U64): void {
  if (size === 8) register.copy(value);
  else if (high) register.hi = value.lo;
  else register.lo = value.lo;
}
