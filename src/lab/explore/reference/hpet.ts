import * as R from '../../../core/devices/hpet/registers.js';
import type { Change } from './events.js';
import type { Timers } from './timers.js';

const TICK = BigInt(R.TICK_NS);
const LOW = 0xffff_ffffn;
const ALL = 0xffff_ffff_ffff_ffffn;
/** A periodic deadline follows the last one by this many ns at least. */
const SHORTEST = 1000n;

const PIT = 0;
const RTC = 1;
const LEGACY_LINES = [R.LEGACY_PIT_LINE, R.LEGACY_RTC_LINE];

export interface HpetShape {
  readonly timers: number;
  readonly msi: boolean;
  /** Bits 63:32 of each timer's configuration. */
  readonly routingCapability: number;
}

interface Timer {
  configuration: number;
  comparator: bigint;
  period: bigint;
  fsb: bigint;
  /** The value of the whole counter that the comparator stands for. */
  target: bigint;
  /** The deadline armed last, in ns. */
  last: bigint;
  /** Armed for the wrap before its match. */
  beforeWrap: boolean;
  /** Armed for the future, and not expired since. */
  isAhead: boolean;
}

/**
 * The HPET as QEMU 11.1 has it, one access at a time. It decides changes of lines and messages; the machine applies them.
 */
export class HpetModel {
  configuration = 0;
  status = 0;
  /** The halted counter, or what to add to the time of the running one, in ns. */
  counter = 0n;
  inputs = [0, 0];
  timers: Timer[];

  constructor(
    readonly shape: HpetShape,
    readonly deadlines: Timers,
    /** Decides a change. */
    readonly decide: (change: Change) => void,
  ) {
    this.timers = Array.from({ length: shape.timers }, () => this.#powerOn(0n, 0n));
  }

  copyFrom(other: HpetModel): void {
    this.configuration = other.configuration;
    this.status = other.status;
    this.counter = other.counter;
    this.inputs = [...other.inputs];
    this.timers = other.timers.map((timer) => ({ ...timer }));
  }

  #powerOn(fsb: bigint, last: bigint): Timer {
    return {
      configuration: R.PER_INT_CAP | R.SIZE_CAP | (this.shape.msi ? R.FSB_INT_DEL_CAP : 0),
      comparator: ALL,
      period: 0n,
      fsb,
      target: 0n,
      last,
      beforeWrap: false,
      isAhead: false,
    };
  }

  get #isOn(): boolean {
    return (this.configuration & R.ENABLE_CNF) !== 0;
  }

  get #isLegacy(): boolean {
    return (this.configuration & R.LEG_RT_CNF) !== 0;
  }

  // The main counter

  /** The counter at a time; it counts modulo 2^64 ns. */
  counterAt(now: bigint): bigint {
    return this.#isOn ? BigInt.asUintN(64, now + this.counter) / TICK : this.counter;
  }

  /** When the running counter is at a tick, in ns. */
  #timeOf(tick: bigint): bigint {
    return BigInt.asIntN(64, tick * TICK - this.counter);
  }

  // Registers

  /** A naturally aligned piece of an access. */
  read(offset: number, size: number, now: bigint): bigint {
    if (size < 4) return 0n;
    const register = this.#register(offset & ~7, now);
    const half = offset & 4 ? register >> 32n : register;
    return size === 4 ? half & LOW : half;
  }

  #register(offset: number, now: bigint): bigint {
    const timer = this.timers[Math.floor((offset - R.TIMER_BLOCKS) / R.TIMER_BLOCK_SIZE)];
    if (offset >= R.TIMER_BLOCKS) return timer ? this.#timerRegister(timer, offset & 0x18) : 0n;
    switch (offset) {
      case R.GENERAL_CAPABILITIES: {
        const last = (this.shape.timers - 1) << R.CAPABILITIES_LAST_TIMER_SHIFT;
        return (BigInt(R.TICK_FS) << 32n) | BigInt((R.CAPABILITIES_LOW | last) >>> 0);
      }
      case R.GENERAL_CONFIGURATION:
        return BigInt(this.configuration);
      case R.INTERRUPT_STATUS:
        return BigInt(this.status >>> 0);
      case R.MAIN_COUNTER:
        return this.counterAt(now);
      default:
        return 0n;
    }
  }

  #timerRegister(timer: Timer, register: number): bigint {
    if (register === R.TIMER_COMPARATOR) return timer.comparator;
    if (register === R.TIMER_FSB_ROUTE) return timer.fsb;
    if (register !== R.TIMER_CONFIGURATION) return 0n;
    return (BigInt(this.shape.routingCapability) << 32n) | BigInt(timer.configuration);
  }

  write(offset: number, size: number, value: bigint, now: bigint): void {
    if (size < 4) return;
    const isHigh = (offset & 4) !== 0;
    if (offset >= R.TIMER_BLOCKS) {
      const index = Math.floor((offset - R.TIMER_BLOCKS) / R.TIMER_BLOCK_SIZE);
      if (index < this.timers.length) this.#writeTimer(index, offset & 0x18, isHigh, size, value, now);
      return;
    }
    const register = offset & ~7;
    // A running counter keeps its value.
    if (register === R.MAIN_COUNTER && !this.#isOn) this.counter = deposit(this.counter, isHigh, size, value);
    if (isHigh) return;
    if (register === R.GENERAL_CONFIGURATION) this.#configure(Number(value & 3n), now);
    if (register === R.INTERRUPT_STATUS) this.#acknowledge(Number(value & LOW));
  }

  #configure(configuration: number, now: bigint): void {
    const changed = this.configuration ^ configuration;
    if (changed === 0) return;
    for (let index = 0; index < this.timers.length; index++) this.#catchUpWithLateCallback(index, now);
    const counter = this.counterAt(now);
    this.configuration = configuration;
    if (changed & R.ENABLE_CNF) this.#turn(counter, now);
    if (changed & R.LEG_RT_CNF) this.#changeLegacy();
  }

  #turn(counter: bigint, now: bigint): void {
    this.counter = this.#isOn ? BigInt.asUintN(64, counter * TICK - now) : counter;
    this.timers.forEach((timer, index) => {
      if (!this.#isOn) {
        timer.isAhead = false;
        this.deadlines.cancel(index);
        if (this.#isPending(index)) this.#interrupt(index);
      } else {
        if (this.#isPending(index) && timer.configuration & R.INT_ENB_CNF) this.#interrupt(index);
        this.#schedule(index, now);
      }
    });
  }

  #acknowledge(written: number): void {
    this.timers.forEach((_, index) => {
      if (written & (1 << index) && this.#isPending(index)) this.#withdraw(index);
    });
  }

  #writeTimer(index: number, register: number, isHigh: boolean, size: number, value: bigint, now: bigint): void {
    const timer = this.timers[index];
    this.#catchUpWithLateCallback(index, now);
    if (register === R.TIMER_FSB_ROUTE) timer.fsb = deposit(timer.fsb, isHigh, size, value);
    if (register === R.TIMER_CONFIGURATION) {
      // Its high half cannot be written, but the write arms the timer.
      this.#configureTimer(index, isHigh ? timer.configuration : Number(value & LOW));
    } else if (register === R.TIMER_COMPARATOR) {
      if (timer.configuration & R.MODE32_CNF && isHigh) return;
      this.#compareWith(timer, isHigh, size, value);
    } else return;
    if (this.#isOn) this.#schedule(index, now);
  }

  #configureTimer(index: number, written: number): void {
    const timer = this.timers[index];
    const old = timer.configuration;
    const next = (old & ~R.TIMER_CONFIGURATION_WRITABLE) | (written & R.TIMER_CONFIGURATION_WRITABLE);
    if (old & ~next & R.INT_TYPE_CNF) this.#withdraw(index);
    timer.configuration = next;
    if (next & ~old & R.INT_ENB_CNF && this.#isPending(index)) this.#interrupt(index);
    if (!(next & R.MODE32_CNF)) return;
    timer.comparator &= LOW;
    timer.period &= LOW;
  }

  #compareWith(timer: Timer, isHigh: boolean, size: number, value: bigint): void {
    const mask = timer.configuration & R.MODE32_CNF ? LOW : ALL;
    const isPeriodic = (timer.configuration & R.TYPE_CNF) !== 0;
    if (!isPeriodic || timer.configuration & R.VAL_SET_CNF) {
      timer.comparator = deposit(timer.comparator, isHigh, size, value) & mask;
    }
    if (isPeriodic) timer.period = deposit(timer.period, isHigh, size, value) & mask;
    timer.configuration &= ~R.VAL_SET_CNF;
  }

  // Deadlines

  #schedule(index: number, now: bigint): void {
    const timer = this.timers[index];
    const counter = this.counterAt(now);
    const is32Bit = (timer.configuration & R.MODE32_CNF) !== 0;
    timer.target = timer.comparator;
    if (is32Bit) {
      timer.target = (counter & ~LOW) | (timer.comparator & LOW);
      if (timer.target < counter) timer.target = BigInt.asUintN(64, timer.target + LOW + 1n);
    }
    // A 32-bit one-shot also fires where the low half of the counter wraps, if its match lies behind that.
    const wrap = timer.target & ~LOW;
    const isOneShot = !(timer.configuration & R.TYPE_CNF);
    timer.beforeWrap = is32Bit && isOneShot && wrap !== (counter & ~LOW) && wrap !== timer.target;
    const deadline = this.#timeOf(timer.beforeWrap ? wrap : timer.target);
    this.#arm(index, isOneShot ? deadline : stretched(deadline, timer.last));
    timer.isAhead = timer.last > now;
  }

  #arm(index: number, deadline: bigint): void {
    if (!this.#isOn) return;
    this.timers[index].last = deadline;
    this.deadlines.arm(index, deadline);
  }

  /** The deadline of a timer has come. */
  expire(index: number, now: bigint): void {
    const timer = this.timers[index];
    if (timer.configuration & R.TYPE_CNF && timer.period !== 0n) {
      this.#nextPeriod(index, now);
    } else if (timer.beforeWrap) {
      timer.beforeWrap = false;
      this.#arm(index, this.#timeOf(timer.target));
    } else {
      timer.isAhead = false;
    }
    this.#interrupt(index);
  }

  #nextPeriod(index: number, now: bigint): void {
    const timer = this.timers[index];
    timer.target = notBehind(timer.target, this.counterAt(now), timer.period);
    timer.comparator = timer.configuration & R.MODE32_CNF ? timer.target & LOW : timer.target;
    let deadline = stretched(this.#timeOf(timer.target), timer.last);
    // Otherwise it would expire indefinitely while no time passes.
    if (deadline <= now - TICK) deadline = now + SHORTEST;
    this.#arm(index, deadline);
    if (deadline > now) timer.isAhead = true;
  }

  /**
   * A match that came before the write that is about to arm or cancel the timer, and whose callback is late, comes before
   * the write. QEMU never needs this: its clock stops at each deadline. A 32-bit one-shot has two, the wrap and the match.
   */
  #catchUpWithLateCallback(index: number, now: bigint): void {
    const timer = this.timers[index];
    for (let times = 0; times < 2 && timer.isAhead && timer.last <= now; times++) this.expire(index, now);
  }

  // Interrupts

  #isPending(index: number): boolean {
    return (this.status & (1 << index)) !== 0;
  }

  #interrupt(index: number): void {
    const { configuration, fsb } = this.timers[index];
    const isLevel = (configuration & R.INT_TYPE_CNF) !== 0;
    this.status = isLevel ? this.status | (1 << index) : this.status & ~(1 << index);
    if (!(configuration & R.INT_ENB_CNF) || !this.#isOn) this.#lowerRoute(index);
    else if (configuration & R.FSB_EN_CNF) {
      this.decide({ kind: 'msi', timer: index, address: Number(fsb >> 32n), data: Number(fsb & LOW) });
    } else if (isLevel) this.#drive(this.#routeOf(index), 1);
    else this.decide({ kind: 'pulse', line: this.#routeOf(index) });
  }

  #withdraw(index: number): void {
    this.status &= ~(1 << index);
    this.#lowerRoute(index);
  }

  /** Lowers the line of the present route, even if the timer or another one holds it. */
  #lowerRoute(index: number): void {
    if (!(this.timers[index].configuration & R.FSB_EN_CNF)) this.#drive(this.#routeOf(index), 0);
  }

  #routeOf(index: number): number {
    if (index < 2 && this.#isLegacy) return LEGACY_LINES[index];
    return (this.timers[index].configuration >> R.INT_ROUTE_SHIFT) & R.INT_ROUTE_MASK;
  }

  #drive(line: number, level: number): void {
    this.decide({ kind: 'level', line, level });
  }

  // Legacy replacement

  #changeLegacy(): void {
    const [pit, rtc] = this.inputs;
    if (this.#isLegacy) {
      // The inputs leave the lines, then the timers.
      for (const line of [...LEGACY_LINES, ...LEGACY_LINES]) this.#drive(line, 0);
      return;
    }
    this.#drive(R.LEGACY_PIT_LINE, 0);
    this.#drive(R.LEGACY_PIT_LINE, pit);
    this.#drive(R.LEGACY_RTC_LINE, rtc);
    if (!rtc) this.#drive(R.LEGACY_RTC_LINE, 0);
  }

  /** The PIT (0) or the RTC (1) drives its input. */
  setInput(input: number, level: number): void {
    this.inputs[input] = level;
    if (!this.#isLegacy) this.#drive(LEGACY_LINES[input], level);
  }

  // Reset

  /** Keeps the status, the FSB routes and the lines of pending level interrupts; lowers the RTC's input. */
  reset(): void {
    const { inputs } = this;
    this.timers.forEach((_, index) => {
      this.deadlines.cancel(index);
      if (this.#isPending(index)) this.#interrupt(index);
    });
    const wasLegacy = this.#isLegacy;
    this.configuration = 0;
    this.counter = 0n;
    this.timers = this.timers.map(({ fsb, last }) => this.#powerOn(fsb, last));
    inputs[RTC] = 0;
    if (wasLegacy && inputs[PIT]) this.#drive(R.LEGACY_PIT_LINE, 1);
    this.setInput(RTC, 0);
  }
}

/** Writes 4 bytes into the low or high half of a register, or all 8. */
function deposit(register: bigint, isHigh: boolean, size: number, value: bigint): bigint {
  if (size === 8) return value & ALL;
  return isHigh ? (register & LOW) | ((value & LOW) << 32n) : (register & ~LOW) | (value & LOW);
}

/** Puts off a deadline that comes less than the shortest period after the last one. */
function stretched(deadline: bigint, last: bigint): bigint {
  return BigInt.asUintN(64, deadline - last) < SHORTEST ? BigInt.asIntN(64, last + SHORTEST) : deadline;
}

/** The first of target, target + period, … that is not behind the counter. */
function notBehind(target: bigint, counter: bigint, period: bigint): bigint {
  const behindBy = (value: bigint) => BigInt.asIntN(64, counter - value);
  const behind = behindBy(target);
  if (behind <= 0n) return target;
  const steps = (behind + period - 1n) / period;
  const reached = BigInt.asUintN(64, target + steps * period);
  const left = behindBy(reached);
  if (left <= 0n) return reached;
  // A period of more than 2^63 ticks goes back, until the difference changes its sign.
  const back = BigInt.asUintN(64, -period);
  return BigInt.asUintN(64, reached + (((1n << 63n) - left + back) / back) * period);
}
