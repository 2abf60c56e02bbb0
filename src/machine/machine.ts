import { GsiRouter } from '../devices/gsi/router.js';
import { SOURCE_EXTERNAL } from '../devices/gsi/sources.js';
import { Hpet } from '../devices/hpet/hpet.js';
import { HPET_BASE, HPET_SIZE } from '../devices/hpet/registers.js';
import { Ioapic } from '../devices/ioapic/ioapic.js';
import { IOAPIC_BASE, IOAPIC_SIZE } from '../devices/ioapic/registers.js';
import type { Design, IrqTarget } from '../locking/axes.js';
import { packDesign, unpackDesign } from '../locking/presets.js';
import { CONFIG_AREA, CONTROL_AREA, ROUTER_AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';
import { U64 } from '../memory/u64.js';
import { BQL, IOAPIC, ROUTER, TIMERS } from '../sync/lock-names.js';
import { Locks } from '../sync/locks.js';
import type { Thread } from '../sync/thread.js';
import { Clock, type ClockMode } from './clock.js';
import {
  CAUSE_DELAYED,
  CAUSE_ENTRY_WRITE,
  CAUSE_EOI,
  EVENT_APIC,
  EVENT_LINE,
  EVENT_MSI,
  type EventSink,
} from './events.js';
import { STORM_TIMER, TimerList } from './timer-list.js';

const SLOT = CONFIG_AREA.word('slot', 'constant');
const DESIGN = CONFIG_AREA.word('design', 'constant');
const MANUAL_CLOCK = CONFIG_AREA.word('manualClock', 'constant');
const SKIP_GENERATION_CHECK = CONFIG_AREA.word('skipGenerationCheck', 'constant');
const COUNT_OVERLAP = CONFIG_AREA.word('countOverlap', 'constant');

/** Threads that are inside a device now; kept only if overlap is counted. */
const INSIDE = CONTROL_AREA.word('inside', 'sync');
/** Requests to run what is due, and how many of them were answered. */
const SETTLE_WANTED = CONTROL_AREA.word('settleWanted', 'sync');
const SETTLE_DONE = CONTROL_AREA.word('settleDone', 'sync');
/** Set last when a machine is made, cleared before its memory is used again: the main loop looks at no other. */
const ALIVE = CONTROL_AREA.word('alive', 'sync');
/** 0: none; 1: requested; 2: done. */
const CONTROL_STATE = CONTROL_AREA.word('state', 'sync');
const CONTROL_WORK = CONTROL_AREA.word('work', 'control');
const CONTROL_ARGUMENT = CONTROL_AREA.time('argument', 'control');
/** Where a manual clock is to go, in virtual ns. */
const STEP_TARGET = CONTROL_AREA.time('stepTarget', 'timers');

const PIT_GATE = ROUTER_AREA.word('pitGate', 'router');

const REQUESTED = 1;
const DONE = 2;

/** Control work, path C. */
export const CONTROL_RESET = 1;
export const CONTROL_PAUSE = 2;
export const CONTROL_RESUME = 3;
/** Argument: source × 2 + level. */
export const CONTROL_LEGACY_INPUT = 4;
/** Ends the machine: the main loop looks at it no more. */
export const CONTROL_REMOVE = 5;

/** The last time that a clock can reach: beyond it a float64 no longer holds every nanosecond. */
export const MAX_TIME = Number.MAX_SAFE_INTEGER;

export interface MachineOptions {
  readonly slot: number;
  readonly design: Design;
  readonly clock: ClockMode;
  readonly hpet: { readonly timers: number; readonly msi: boolean; readonly routingCapability: number };
  readonly ioapic: { readonly version: number; readonly id: number };
  /** Quirk bits, `devices/quirks.ts`. */
  readonly quirks: number;
  /** Whether a callback finds out that it was cancelled; without, as in QEMU. */
  readonly generationCheck: boolean;
  /** Counts how often a thread finds another inside the device, at the cost of two atomics per access. */
  readonly countOverlap: boolean;
}

/** What a machine needs of the threads around it. */
export interface MachineHost {
  readonly events: EventSink;
  /** Makes the main loop look at a machine, soon. */
  kickMainLoop(slot: number): void;
  /** Told after the main loop finished control work. */
  controlDone(slot: number): void;
}

/**
 * A virtual machine's HPET, interrupt controllers, clock and timers put together, as one thread sees them. The state is
 * in shared memory; `select` turns the object to another machine. The locking design decides how each path enters.
 */
export class Machine implements IrqTarget {
  readonly locks: Locks;
  readonly clock: Clock;
  readonly timers: TimerList;
  readonly hpet: Hpet;
  readonly ioapic: Ioapic;
  readonly router: GsiRouter;
  /** The value of the last read. */
  readonly value = new U64();

  #slot = 0;
  #design!: Design;
  #packedDesign = -1;
  /** What the events of the present path are due to. */
  #cause = 0;
  #deadline = -1;
  readonly #piece = new U64();

  constructor(
    readonly memory: Memory,
    readonly thread: Thread,
    readonly host: MachineHost,
  ) {
    this.locks = new Locks(memory, thread);
    this.clock = new Clock(memory);
    this.timers = new TimerList(memory, this.locks, () => this.#onEarlierDeadline());
    this.router = new GsiRouter(memory, {
      lineChanged: (gsi, level, source) => this.#emit(EVENT_LINE, source, gsi, level, 0),
      driveInput: (gsi, level) => this.#driveInput(gsi, level),
    });
    this.ioapic = new Ioapic(memory, {
      now: () => this.clock.now(),
      send: (pin, destination, destinationMode, deliveryMode, vector, trigger) =>
        this.#emit(
          EVENT_APIC,
          this.#cause,
          pin,
          destination | (destinationMode << 8) | (deliveryMode << 9) | (trigger << 12),
          vector,
        ),
      acknowledgeExtInt: () => SPURIOUS_PIC_VECTOR,
      delayService: (deadline) => this.timers.armEarlier(STORM_TIMER, deadline),
      cancelDelayedService: () => this.timers.cancel(STORM_TIMER),
    });
    this.hpet = new Hpet(memory, {
      now: () => this.clock.now(),
      arm: (timer, deadline) => this.timers.arm(timer, deadline),
      cancel: (timer) => this.timers.cancel(timer),
      setLine: (source, line, level) => this.#design.irq.driveLine(this, line, source, level),
      pulseLine: (source, line) => {
        this.#design.irq.driveLine(this, line, source, 1);
        this.#design.irq.driveLine(this, line, source, 0);
      },
      sendMsi: (timer, address, data) => this.#design.irq.sendMsi(this, timer, address, data),
      setPitGate: (level) => this.#design.irq.setPitGate(this, level),
    });
  }

  /** Makes a new machine in the zeroed memory at `base`, before any other thread knows of it. */
  create(base: number, options: MachineOptions): void {
    const { memory } = this;
    memory.select(base);
    memory.set(SLOT, options.slot);
    memory.set(DESIGN, packDesign(options.design));
    memory.set(MANUAL_CLOCK, options.clock === 'manual' ? 1 : 0);
    memory.set(SKIP_GENERATION_CHECK, options.generationCheck ? 0 : 1);
    memory.set(COUNT_OVERLAP, options.countOverlap ? 1 : 0);
    this.select(base);
    this.clock.create(options.clock);
    this.router.create(options.quirks);
    this.ioapic.create({ ...options.ioapic, quirks: options.quirks });
    this.hpet.create({ ...options.hpet, quirks: options.quirks });
    memory.set(PIT_GATE, 1);
    memory.store(ALIVE, 1);
  }

  /** Turns this object to the machine at `base`. No lock of the former one is held. */
  select(base: number): void {
    this.memory.select(base);
    this.#slot = this.memory.get(SLOT);
    const packed = this.memory.get(DESIGN);
    if (packed === this.#packedDesign) return;
    this.#packedDesign = packed;
    this.#design = unpackDesign(packed);
  }

  get design(): Design {
    return this.#design;
  }

  // Path B: a vCPU's accesses

  /** Reads 1, 2, 4 or 8 bytes into `value`; false if the address belongs to no device. */
  read(address: number, size: number): boolean {
    this.#cause = CAUSE_ENTRY_WRITE;
    const hpetOffset = address - HPET_BASE;
    if (hpetOffset >= 0 && hpetOffset + size <= HPET_SIZE) {
      if (address % size === 0) this.#readHpet(hpetOffset, size, this.value);
      else this.#readPieces(hpetOffset, size, 8, this.#readHpet);
      return true;
    }
    const ioapicOffset = address - IOAPIC_BASE;
    if (ioapicOffset >= 0 && ioapicOffset + size <= IOAPIC_SIZE) {
      this.#readPieces(ioapicOffset, size, 4, this.#readIoapic);
      return true;
    }
    return false;
  }

  /** Writes 1, 2, 4 or 8 bytes; false, and nothing is written, if the address belongs to no device. */
  write(address: number, size: number, value: U64): boolean {
    this.#cause = CAUSE_ENTRY_WRITE;
    this.#deadline = -1;
    const hpetOffset = address - HPET_BASE;
    if (hpetOffset >= 0 && hpetOffset + size <= HPET_SIZE) {
      this.#writePieces(hpetOffset, size, 8, value, this.#writeHpet);
      return true;
    }
    const ioapicOffset = address - IOAPIC_BASE;
    if (ioapicOffset >= 0 && ioapicOffset + size <= IOAPIC_SIZE) {
      this.#writePieces(ioapicOffset, size, 4, value, this.#writeIoapic);
      return true;
    }
    return false;
  }

  readonly #readHpet = (offset: number, size: number, result: U64): void => {
    const { mmio } = this.#design;
    if (!mmio.guardsCounter && Hpet.isMainCounter(offset, size)) {
      this.hpet.read(offset, size, result);
      return;
    }
    mmio.enter(this.locks);
    this.#enterDevice();
    this.hpet.read(offset, size, result);
    this.#leaveDevice();
    mmio.leave(this.locks);
  };

  readonly #writeHpet = (offset: number, size: number, value: U64): void => {
    const { mmio } = this.#design;
    this.host.events.awaitRoom();
    mmio.enter(this.locks);
    this.#enterDevice();
    this.hpet.write(offset, size, value);
    this.#leaveDevice();
    mmio.leave(this.locks);
  };

  readonly #readIoapic = (offset: number, size: number, result: U64): void => {
    const { irq } = this.#design;
    const entered = irq.enter(this.locks, IOAPIC);
    result.set(this.ioapic.read(offset, size), 0);
    irq.leave(this.locks, IOAPIC, entered);
  };

  readonly #writeIoapic = (offset: number, size: number, value: U64): void => {
    const { irq } = this.#design;
    this.host.events.awaitRoom();
    const entered = irq.enter(this.locks, IOAPIC);
    this.#enterDevice();
    this.ioapic.write(offset, size, value.lo);
    this.#leaveDevice();
    irq.leave(this.locks, IOAPIC, entered);
  };

  /** Cuts an access into naturally aligned pieces of at most `largest` bytes, lowest address first. */
  #readPieces(
    offset: number,
    size: number,
    largest: number,
    read: (offset: number, size: number, to: U64) => void,
  ): void {
    const piece = this.#piece;
    let low = 0;
    let high = 0;
    for (let done = 0; done < size; ) {
      const bytes = pieceSize(offset + done, size - done, largest);
      read(offset + done, bytes, piece);
      if (done >= 4) high += piece.lo * 2 ** (8 * (done - 4));
      else {
        const shifted = piece.lo * 2 ** (8 * done);
        low += shifted % TWO_32;
        high += Math.floor(shifted / TWO_32) + (bytes === 8 ? piece.hi : 0);
      }
      done += bytes;
    }
    this.value.set(low, high);
  }

  #writePieces(
    offset: number,
    size: number,
    largest: number,
    value: U64,
    write: (offset: number, size: number, value: U64) => void,
  ): void {
    const piece = this.#piece;
    const { lo, hi } = value;
    for (let done = 0; done < size; ) {
      const bytes = pieceSize(offset + done, size - done, largest);
      const shift = 8 * (done & 3);
      const first = done >= 4 ? hi : lo;
      const second = done >= 4 ? 0 : hi;
      piece.set(shift === 0 ? first : (first >>> shift) | (second << (32 - shift)), bytes === 8 ? hi : 0);
      if (bytes < 4) piece.lo &= 2 ** (8 * bytes) - 1;
      write(offset + done, bytes, piece);
      done += bytes;
    }
  }

  /** A client drives a GSI (0–23) of this machine. */
  setLine(gsi: number, level: number): void {
    const { irq } = this.#design;
    this.#cause = SOURCE_EXTERNAL;
    this.#deadline = -1;
    this.host.events.awaitRoom();
    const entered = irq.enter(this.locks, ROUTER);
    this.router.drive(gsi, SOURCE_EXTERNAL, level);
    irq.leave(this.locks, ROUTER, entered);
  }

  /** A local APIC broadcasts an EOI. */
  endOfInterrupt(vector: number): void {
    const { irq } = this.#design;
    this.#cause = CAUSE_EOI;
    this.#deadline = -1;
    this.host.events.awaitRoom();
    const entered = irq.enter(this.locks, IOAPIC);
    this.ioapic.endOfInterrupt(vector);
    irq.leave(this.locks, IOAPIC, entered);
  }

  // Line changes and messages, once the interrupt controllers are protected

  driveLine(line: number, source: number, level: number): void {
    const cause = this.#cause;
    this.#cause = source;
    this.router.drive(line, source, level);
    this.#cause = cause;
  }

  sendMsi(timer: number, address: number, data: number): void {
    this.#emit(EVENT_MSI, timer, timer, address, data);
  }

  setPitGate(level: number): void {
    this.memory.set(PIT_GATE, level);
  }

  #driveInput(gsi: number, level: number): void {
    const { irq } = this.#design;
    const entered = irq.enter(this.locks, IOAPIC);
    this.ioapic.setInput(gsi, level);
    irq.leave(this.locks, IOAPIC, entered);
  }

  #emit(kind: number, cause: number, a: number, b: number, c: number): void {
    this.host.events.emit(this.#slot, kind, cause, a, b, c, this.clock.now(), this.#deadline);
  }

  // The main loop's side

  /** One round of the main loop for this machine: control work, then all timers that are due. */
  runMainLoop(): void {
    const { memory, locks } = this;
    if (!memory.load(ALIVE)) return;
    const wanted = memory.load(SETTLE_WANTED);
    locks.acquire(BQL);
    const controlled = memory.load(CONTROL_STATE) === REQUESTED;
    if (controlled) this.#runControl();
    if (memory.get(MANUAL_CLOCK)) this.#runToTarget();
    // A paused clock holds back even what was due before.
    else if (this.clock.isTicking()) this.#runTimers(this.clock.now());
    locks.release(BQL);
    if (memory.load(SETTLE_DONE) !== wanted) {
      memory.store(SETTLE_DONE, wanted);
      memory.notify(SETTLE_DONE, Number.MAX_SAFE_INTEGER);
    }
    if (!controlled) return;
    // The last touch: after a removal the memory is someone else's.
    memory.store(CONTROL_STATE, DONE);
    this.host.controlDone(this.#slot);
  }

  /** The host time at which `runMainLoop` is due again, or Infinity. */
  nextHostTime(): number {
    if (this.memory.get(MANUAL_CLOCK) || !this.memory.load(ALIVE)) return Number.POSITIVE_INFINITY;
    return this.clock.hostTimeOf(this.timers.earliest());
  }

  /** Path A: callbacks run with the timer list unlocked; its head is read again after each. */
  #runTimers(now: number): void {
    while (this.timers.takeDue(now)) {
      this.host.events.awaitRoom();
      this.#deadline = this.timers.takenDeadline;
      if (this.timers.taken === STORM_TIMER) this.#serviceDelayed(this.timers.takenGeneration);
      else this.#expire(this.timers.taken, this.timers.takenGeneration);
    }
  }

  #expire(timer: number, generation: number): void {
    const axis = this.#design.timer;
    this.#cause = timer;
    axis.enter(this.locks);
    this.#enterDevice();
    if (this.#isWanted(timer, generation)) this.hpet.expire(timer);
    this.#leaveDevice();
    axis.leave(this.locks);
  }

  #serviceDelayed(generation: number): void {
    const { irq } = this.#design;
    this.#cause = CAUSE_DELAYED;
    if (irq.lockless) this.locks.release(BQL);
    const entered = irq.enter(this.locks, IOAPIC);
    if (this.#isWanted(STORM_TIMER, generation)) this.ioapic.serviceDelayed();
    irq.leave(this.locks, IOAPIC, entered);
    if (irq.lockless) this.locks.acquire(BQL);
  }

  #isWanted(timer: number, generation: number): boolean {
    return this.memory.get(SKIP_GENERATION_CHECK) !== 0 || this.timers.isCurrent(timer, generation);
  }

  /** Moves a manual clock to where it was asked to go, visiting every deadline on the way in order. */
  #runToTarget(): void {
    for (;;) {
      const target = this.#stepTarget(0);
      const earliest = this.timers.earliest();
      const now = this.clock.now();
      if (earliest <= target) {
        if (earliest > now) this.clock.moveTo(earliest);
        this.#runTimers(Math.max(earliest, now));
      } else if (target > now) {
        this.clock.moveTo(target);
      } else {
        return;
      }
    }
  }

  #runControl(): void {
    const { memory } = this;
    const argument = memory.getTime(CONTROL_ARGUMENT);
    this.#cause = SOURCE_EXTERNAL;
    this.#deadline = -1;
    switch (memory.get(CONTROL_WORK)) {
      case CONTROL_RESET:
        this.#reset();
        break;
      case CONTROL_PAUSE:
        this.clock.pause();
        break;
      case CONTROL_RESUME:
        this.clock.resume();
        break;
      case CONTROL_LEGACY_INPUT:
        this.#enterControl();
        this.hpet.setLegacyInput(argument >> 1, argument & 1);
        this.#leaveControl();
        break;
      case CONTROL_REMOVE:
        for (let timer = 0; timer <= STORM_TIMER; timer++) this.timers.cancel(timer);
        memory.store(ALIVE, 0);
        break;
    }
  }

  #reset(): void {
    const { irq } = this.#design;
    this.#enterControl();
    this.hpet.reset();
    this.#leaveControl();
    const entered = irq.enter(this.locks, IOAPIC);
    this.ioapic.reset();
    irq.leave(this.locks, IOAPIC, entered);
  }

  #enterControl(): void {
    this.#design.control.enter(this.locks, this.#design);
  }

  #leaveControl(): void {
    this.#design.control.leave(this.locks, this.#design);
  }

  // For whoever looks at the machine from outside

  /** Calls `copy` while nothing changes the HPET. */
  withHpet(copy: () => void): void {
    const { mmio } = this.#design;
    mmio.enter(this.locks);
    copy();
    mmio.leave(this.locks);
  }

  /** Calls `copy` while nothing changes the GSI router and the interrupt controllers. */
  withInterruptControllers(copy: () => void): void {
    const { irq } = this.#design;
    const routerEntered = irq.enter(this.locks, ROUTER);
    const ioapicEntered = irq.enter(this.locks, IOAPIC);
    copy();
    irq.leave(this.locks, IOAPIC, ioapicEntered);
    irq.leave(this.locks, ROUTER, routerEntered);
  }

  // Requests to the main loop

  /** Asks for control work; the caller makes sure that there is one request at a time. */
  requestControl(work: number, argument = 0): void {
    this.memory.set(CONTROL_WORK, work);
    this.memory.setTime(CONTROL_ARGUMENT, argument);
    this.memory.store(CONTROL_STATE, REQUESTED);
    this.host.kickMainLoop(this.#slot);
  }

  isControlDone(): boolean {
    return this.memory.load(CONTROL_STATE) === DONE;
  }

  /** Whether the requested work is done; makes room for the next. */
  takeControlDone(): boolean {
    return this.memory.compareExchange(CONTROL_STATE, DONE, 0) === DONE;
  }

  /** Moves a manual clock on by `ns`, and waits until all that came due has run. False if it would pass MAX_TIME. */
  step(ns: number): boolean {
    if (!this.#isManual() || this.#stepTarget(ns) > MAX_TIME) return false;
    this.#settle();
    return true;
  }

  /** With a manual clock: waits until the main loop has run everything that is due. */
  settle(): void {
    if (this.#isManual() && this.timers.earliest() <= this.clock.now()) this.#settle();
  }

  #settle(): void {
    const { memory } = this;
    const ticket = memory.add(SETTLE_WANTED, 1) + 1;
    this.host.kickMainLoop(this.#slot);
    for (;;) {
      const done = memory.load(SETTLE_DONE);
      if (((done - ticket) | 0) >= 0) return;
      memory.wait(SETTLE_DONE, done);
    }
  }

  #isManual(): boolean {
    return this.memory.get(MANUAL_CLOCK) !== 0;
  }

  /** Adds to the target of a manual clock, unless that would pass MAX_TIME; returns the sum. */
  #stepTarget(ns: number): number {
    const { memory, locks } = this;
    const entered = locks.guard(TIMERS);
    const target = memory.getTime(STEP_TARGET) + ns;
    if (target <= MAX_TIME && ns) memory.setTime(STEP_TARGET, target);
    locks.unguard(TIMERS, entered);
    return target;
  }

  #onEarlierDeadline(): void {
    if (!this.#isManual()) this.host.kickMainLoop(this.#slot);
  }

  // Counting threads that are inside a device together

  #enterDevice(): void {
    if (this.memory.get(COUNT_OVERLAP) && this.memory.add(INSIDE, 1) > 0) this.thread.statistics.overlapped();
  }

  #leaveDevice(): void {
    if (this.memory.get(COUNT_OVERLAP)) this.memory.add(INSIDE, -1);
  }
}

const TWO_32 = 0x1_0000_0000;

/** What an 8259 pair without a request answers to an acknowledge cycle: IRQ 7 of a master at base 0. */
const SPURIOUS_PIC_VECTOR = 7;

/** The largest naturally aligned piece at `offset`, of at most `left` and `largest` bytes. */
function pieceSize(offset: number, left: number, largest: number): number {
  let size = largest;
  while (offset % size !== 0 || size > left) size >>= 1;
  return size;
}
