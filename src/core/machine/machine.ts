import { GsiRouter, PIT_GATE } from '../devices/gsi/router.js';
import { SOURCE_EXTERNAL, SOURCE_XEN } from '../devices/gsi/sources.js';
import { XenFilter, type XenOptions } from '../devices/gsi/xen-filter.js';
import * as guest from '../devices/guest-map.js';
import { Hpet } from '../devices/hpet/hpet.js';
import { Ioapic } from '../devices/ioapic/ioapic.js';
import { picQuirkBits } from '../devices/quirks.js';
import type { Design, IrqTarget } from '../locking/axes.js';
import { DeferredList } from '../locking/deferred-list.js';
import { LineDecisions } from '../locking/line-decisions.js';
import { LineQueue } from '../locking/line-queue.js';
import { packDesign, unpackDesign } from '../locking/presets.js';
import { CONFIG_AREA, LIFE_AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';
import { U64 } from '../memory/u64.js';
import { IRQ_UPDATE, MMIO_READ, MMIO_WRITE } from '../sync/call-sites.js';
import { LockAssertionError } from '../sync/lock-assertion.js';
import { BQL, IOAPIC, PIC, ROUTER } from '../sync/lock-names.js';
import { DEFAULT_LOCKS, type LockOptions, Locks } from '../sync/locks.js';
import { type StatisticsOptions, setStatistics } from '../sync/statistics.js';
import type { Thread } from '../sync/thread.js';
import { BqlLoad, type BqlLoadOptions } from './bql-load.js';
import { Bus } from './bus.js';
import { Clock, type ClockMode } from './clock.js';
import {
  CAUSE_ENTRY_WRITE,
  CAUSE_EOI,
  type EventSink,
  emptyEvent,
  packApic,
  packIntr,
  packLine,
  packMsi,
} from './events.js';
import { Pic } from './pic.js';
import { HPET_TIMERS, STORM_TIMER, TimerList } from './timer-list.js';

const SLOT = CONFIG_AREA.word('slot', 'constant');
const DESIGN = CONFIG_AREA.word('design', 'constant');
const QUIRK_BITS = CONFIG_AREA.word('quirks', 'constant');
const MANUAL_CLOCK = CONFIG_AREA.word('manualClock', 'constant');
const SKIP_GENERATION_CHECK = CONFIG_AREA.word('skipGenerationCheck', 'constant');
const COUNT_OVERLAP = CONFIG_AREA.word('countOverlap', 'constant');

/** Threads that are inside a device now; kept only if overlap is counted. */
const INSIDE = LIFE_AREA.word('inside', 'sync');
/** Set last when a machine is made, cleared before its memory is used again: the main loop looks at no other. */
const ALIVE = LIFE_AREA.word('alive', 'sync');

/** Whether anybody may enter the machine that `memory` has selected. */
export function isAlive(memory: Memory): boolean {
  return memory.load(ALIVE) !== 0;
}

export interface MachineOptions {
  readonly slot: number;
  readonly design: Design;
  readonly clock: ClockMode;
  readonly hpet: { readonly timers: number; readonly msi: boolean; readonly routingCapability: number };
  readonly ioapic: { readonly version: number; readonly id: number };
  /** Whether there is an 8259 pair; GSIs 0–15 drive it beside the IOAPIC. True if not given. */
  readonly pic?: boolean;
  /** A filter between GSI router and interrupt controllers; none if not given. */
  readonly xen?: XenOptions | undefined;
  /** Quirk bits, `devices/quirks.ts`. */
  readonly quirks: number;
  readonly locks?: Partial<LockOptions>;
  /** Whether a callback finds out that it was cancelled; without, as in QEMU. */
  readonly generationCheck: boolean;
  /** `legacy`: interrupts are raised inside the main counter's write section, as in QEMU 10.2. */
  readonly seqlock?: 'short' | 'legacy';
  /** Counts how often a thread finds another inside the device, at the cost of two atomics per access. */
  readonly countOverlap: boolean;
  /** Slot 0, and not exact, if not given. */
  readonly statistics?: StatisticsOptions;
  /** Background work under the BQL; none if not given. */
  readonly load?: BqlLoadOptions;
}

/** What a machine needs of the threads around it. */
export interface MachineHost {
  readonly events: EventSink;
  /** Makes the main loop look at a machine, soon. */
  kickMainLoop(slot: number): void;
  /** Makes a vCPU thread run the callbacks that wait for one, soon. */
  kickVcpu(slot: number): void;
  /** Makes the load thread look at a machine, soon. */
  kickLoad(slot: number): void;
  /** Absolute word address of the transfer area for the state of a machine; undefined where snapshots are not used. */
  readonly transfer?: number;
  /** Called before and after each wait for a round of the main loop. */
  settles?(isWaiting: boolean): void;
  /** Callbacks of one slice; `CALLBACKS_PER_SLICE` of `due-work.ts` if not given. */
  readonly slice?: number | undefined;
}

/**
 * A virtual machine's HPET, interrupt controllers, clock and timers put together, as one thread sees them. The state is
 * in shared memory; `select` turns the object to another machine. The locking design decides how each path enters; this
 * class is path B, `DueWork` has paths A and C.
 */
export class Machine implements IrqTarget {
  readonly locks: Locks;
  readonly clock: Clock;
  readonly timers: TimerList;
  readonly hpet: Hpet;
  readonly ioapic: Ioapic;
  readonly router: GsiRouter;
  readonly xen: XenFilter;
  readonly pic: Pic;
  readonly deferred: DeferredList;
  readonly decisions: LineDecisions;
  readonly lineQueue: LineQueue;
  /** The value of the last read. */
  readonly value = new U64();

  /** What the events of the present path are due to: a source of a line, or one of `events.ts`. */
  cause = 0;
  /** The deadline that the present path came from, in virtual ns, or −1. */
  deadline = -1;

  slot = 0;
  quirks = 0;
  design!: Design;
  #packedDesign = -1;
  /** While this thread lowers a line at the end of a pulse. */
  #endsPulse = false;
  /** How often this thread is counted as inside a device. */
  #inside = 0;
  readonly #bus = new Bus();
  readonly #event = emptyEvent();

  constructor(
    readonly memory: Memory,
    readonly thread: Thread,
    readonly host: MachineHost,
  ) {
    this.locks = new Locks(memory, thread);
    this.clock = new Clock(memory);
    this.timers = new TimerList(memory, this.locks, () => this.#onEarlierDeadline());
    this.deferred = new DeferredList(thread.statistics);
    this.decisions = new LineDecisions(memory, (reason) => thread.statistics.stale(reason));
    this.lineQueue = new LineQueue(memory);
    this.router = new GsiRouter(memory, {
      lineChanged: (gsi, level, source) => {
        packLine(this.#event, gsi, level, this.#newestDecision(source));
        this.#emit(source);
      },
      driveInput: (gsi, level, source) => this.#driveInput(gsi, level, source),
    });
    this.xen = new XenFilter(memory, {
      assertBql: () => this.locks.assertHeld(BQL),
      driveInput: (gsi, level, source) => this.#driveInput(gsi, level, source),
    });
    this.pic = new Pic(this, (level) => {
      packIntr(this.#event, level);
      this.#emit(this.cause);
    });
    this.ioapic = new Ioapic(memory, {
      now: () => this.clock.now(),
      send: (message) => {
        packApic(this.#event, message);
        this.#emit(this.cause);
      },
      acknowledgeExtInt: () => this.pic.acknowledge(),
      delayService: (deadline) => this.timers.armEarlier(STORM_TIMER, deadline),
      cancelDelayedService: () => this.timers.cancel(STORM_TIMER),
      coalesced: () => this.thread.statistics.coalesced(),
    });
    this.hpet = new Hpet(memory, {
      now: () => this.clock.now(),
      arm: (timer, deadline) => this.timers.arm(timer, deadline),
      cancel: (timer) => this.timers.cancel(timer),
      setLine: (source, line, level) => this.design.irq.driveLine(this, line, source, level),
      pulseLine: (source, line) => this.design.irq.pulseLine(this, line, source),
      sendMsi: (timer, address, data) => this.design.irq.sendMsi(this, timer, address, data),
      setPitGate: (level) => this.design.irq.setPitGate(this, level),
    });
  }

  /** Makes a new machine in the zeroed memory at `base`, before any other thread knows of it. */
  create(base: number, options: MachineOptions): void {
    const { memory, timers } = this;
    memory.select(base);
    memory.set(SLOT, options.slot);
    memory.set(DESIGN, packDesign(options.design));
    memory.set(QUIRK_BITS, options.quirks);
    memory.set(MANUAL_CLOCK, options.clock === 'manual' ? 1 : 0);
    memory.set(SKIP_GENERATION_CHECK, options.generationCheck ? 0 : 1);
    memory.set(COUNT_OVERLAP, options.countOverlap ? 1 : 0);
    setStatistics(memory, options.statistics ?? { slot: 0, exact: false });
    this.locks.create({ ...DEFAULT_LOCKS, ...options.locks });
    this.select(base);
    for (let timer = 0; timer < HPET_TIMERS; timer++) timers.setLockless(timer, options.design.timer.lockless);
    timers.setLockless(STORM_TIMER, options.design.irq.lockless);
    this.clock.create(options.clock);
    this.router.create(options.quirks);
    this.xen.create(options.xen);
    this.ioapic.create({ ...options.ioapic, quirks: options.quirks });
    this.pic.create(options.pic ?? true, picQuirkBits(options.quirks));
    this.hpet.create({
      ...options.hpet,
      quirks: options.quirks,
      legacySequenceLock: options.seqlock === 'legacy',
    });
    memory.set(PIT_GATE, 1);
    if (options.load) new BqlLoad(memory).configure(options.load);
    memory.store(ALIVE, 1);
  }

  /** Turns this object to the machine at `base`. No lock of the former one is held. */
  select(base: number): void {
    this.memory.select(base);
    this.locks.select();
    this.slot = this.memory.get(SLOT);
    this.quirks = this.memory.get(QUIRK_BITS);
    const packed = this.memory.get(DESIGN);
    if (packed === this.#packedDesign) return;
    this.#packedDesign = packed;
    this.design = unpackDesign(packed);
  }

  get isAlive(): boolean {
    return isAlive(this.memory);
  }

  /** Lets nobody in any more: threads that hang in here will never leave. */
  freeze(): void {
    this.memory.store(ALIVE, 0);
  }

  /** Ends the machine: nothing fires any more, and the main loop looks at it no more. */
  end(): void {
    for (let timer = 0; timer <= STORM_TIMER; timer++) this.timers.cancel(timer);
    this.memory.store(ALIVE, 0);
  }

  get hasManualClock(): boolean {
    return this.memory.get(MANUAL_CLOCK) !== 0;
  }

  /** Whether a callback that was chosen to run is still wanted; the caller holds the guard of the timer's owner. */
  isWanted(timer: number, generation: number): boolean {
    return this.memory.get(SKIP_GENERATION_CHECK) !== 0 || this.timers.isCurrent(timer, generation);
  }

  // Path B: a vCPU's accesses

  /** Reads 1, 2, 4 or 8 bytes into `value`; false if the address belongs to no device. */
  read(address: number, size: number): boolean {
    this.locks.site = MMIO_READ;
    const device = guest.deviceAt(address, size);
    if (device === guest.NO_DEVICE) return false;
    this.thread.statistics.accessBegins(MMIO_READ, address, size);
    if (device === guest.HPET)
      this.#bus.read(address - guest.HPET_BASE, size, guest.HPET_WIDTH, this.#readHpet, this.value);
    else this.#bus.read(address - guest.IOAPIC_BASE, size, guest.IOAPIC_WIDTH, this.#readIoapic, this.value);
    this.thread.statistics.accessEnds(MMIO_READ);
    return true;
  }

  /** Writes 1, 2, 4 or 8 bytes; false, and nothing is written, if the address belongs to no device. */
  write(address: number, size: number, value: U64): boolean {
    this.#begin(MMIO_WRITE, CAUSE_ENTRY_WRITE);
    const device = guest.deviceAt(address, size);
    if (device === guest.NO_DEVICE) return false;
    this.thread.statistics.accessBegins(MMIO_WRITE, address, size);
    if (device === guest.HPET)
      this.#bus.write(address - guest.HPET_BASE, size, guest.HPET_WIDTH, this.#writeHpet, value);
    else this.#bus.write(address - guest.IOAPIC_BASE, size, guest.IOAPIC_WIDTH, this.#writeIoapic, value);
    this.thread.statistics.accessEnds(MMIO_WRITE);
    return true;
  }

  readonly #readHpet = (offset: number, size: number, result: U64): void => {
    const { mmio } = this.design;
    const guarded = mmio.underBql || !Hpet.isMainCounter(offset, size);
    if (guarded) mmio.enter(this.locks);
    this.enterDevice();
    this.hpet.read(offset, size, result);
    this.leaveDevice();
    if (guarded) mmio.leave(this.locks);
  };

  readonly #writeHpet = (offset: number, size: number, value: U64): void => {
    this.host.events.awaitRoom();
    this.enterHpet();
    this.hpet.write(offset, size, value);
    this.leaveHpet();
  };

  /** Enters the HPET as path B, with changes of lines framed by the irq axis. */
  enterHpet(): void {
    this.design.irq.begin(this);
    this.design.mmio.enter(this.locks);
    this.enterDevice();
  }

  leaveHpet(): void {
    const { mmio, irq } = this.design;
    this.leaveDevice();
    // Deferred calls come after the mutex, but under a BQL that is held anyway.
    if (mmio.underBql) irq.end(this);
    mmio.leave(this.locks);
    if (!mmio.underBql) irq.end(this);
  }

  readonly #readIoapic = (offset: number, size: number, result: U64): void => {
    const entered = this.design.irq.enter(this, IOAPIC);
    result.set(this.ioapic.read(offset, size), 0);
    this.design.irq.leave(this, IOAPIC, entered);
  };

  readonly #writeIoapic = (offset: number, size: number, value: U64): void => {
    this.host.events.awaitRoom();
    const entered = this.design.irq.enter(this, IOAPIC);
    this.enterDevice();
    this.ioapic.write(offset, size, value.lo);
    this.leaveDevice();
    this.design.irq.leave(this, IOAPIC, entered);
  };

  /** Reads a byte from an I/O port; undefined if no device has it. */
  portRead(port: number): number | undefined {
    this.#begin(MMIO_READ, CAUSE_ENTRY_WRITE);
    this.host.events.awaitRoom();
    return this.pic.readPort(port);
  }

  /** Writes a byte to an I/O port; false, and nothing is written, if no device has it. */
  portWrite(port: number, value: number): boolean {
    this.#begin(MMIO_WRITE, CAUSE_ENTRY_WRITE);
    this.host.events.awaitRoom();
    return this.pic.writePort(port, value);
  }

  /** A processor that INTR interrupts runs an acknowledge cycle (virtual wire mode): the vector. */
  acknowledgeInterrupt(): number {
    this.#begin(IRQ_UPDATE, CAUSE_ENTRY_WRITE);
    this.host.events.awaitRoom();
    return this.pic.acknowledge();
  }

  /** A client drives a GSI (0–23) of this machine. */
  setLine(gsi: number, level: number): void {
    this.#begin(IRQ_UPDATE, SOURCE_EXTERNAL);
    this.host.events.awaitRoom();
    const entered = this.design.irq.enter(this, ROUTER);
    this.router.drive(gsi, SOURCE_EXTERNAL, level);
    this.design.irq.leave(this, ROUTER, entered);
  }

  /** Xen's event channel drives its callback; false if the machine has no such filter. */
  setXenCallback(level: number): boolean {
    if (!this.xen.options) return false;
    this.#begin(IRQ_UPDATE, SOURCE_XEN);
    this.host.events.awaitRoom();
    const { irq } = this.design;
    // Where the big lock protects the controllers, it is held all the while that the filter says so of itself.
    const held = !irq.lockless && this.locks.guard(BQL);
    this.xen.beginSetting();
    const entered = irq.enter(this, ROUTER);
    this.xen.setCallback(level);
    irq.leave(this, ROUTER, entered);
    this.xen.endSetting();
    this.locks.unguard(BQL, held);
    return true;
  }

  /**
   * Ends a path that was broken off by a failed assertion, of which the machine keeps count: this thread holds the locks
   * of the mask again, and no other. Throws whatever else broke it off.
   */
  breakOff(error: unknown, held: number): void {
    if (!(error instanceof LockAssertionError)) throw error;
    this.xen.countFailure(error.site, this.thread.id);
    while (this.#inside > 0) this.leaveDevice();
    this.hpet.counter.releaseReaders();
    this.locks.restore(held);
  }

  /** A local APIC broadcasts an EOI. */
  endOfInterrupt(vector: number): void {
    this.#begin(IRQ_UPDATE, CAUSE_EOI);
    this.host.events.awaitRoom();
    const entered = this.design.irq.enter(this, IOAPIC);
    this.ioapic.endOfInterrupt(vector);
    this.design.irq.leave(this, IOAPIC, entered);
  }

  #begin(site: number, cause: number): void {
    this.locks.site = site;
    this.cause = cause;
    this.deadline = -1;
  }

  // Views of the machine from outside

  /** Reads the main counter into `value`, with whatever locks the caller holds. */
  readMainCounter(): void {
    this.hpet.counter.read(this.value, this.clock);
  }

  /** Calls `copy` while nothing changes the HPET. */
  withHpet(copy: () => void): void {
    this.locks.site = MMIO_READ;
    this.design.mmio.enter(this.locks);
    copy();
    this.design.mmio.leave(this.locks);
  }

  /** Calls `copy` while nothing changes the GSI router and the interrupt controllers. */
  withInterruptControllers(copy: () => void): void {
    const { irq } = this.design;
    const routerEntered = irq.enter(this, ROUTER);
    const ioapicEntered = irq.enter(this, IOAPIC);
    const picEntered = irq.enter(this, PIC);
    copy();
    irq.leave(this, PIC, picEntered);
    irq.leave(this, IOAPIC, ioapicEntered);
    irq.leave(this, ROUTER, routerEntered);
  }

  // Line changes and messages, once the interrupt controllers are protected

  driveLine(line: number, source: number, level: number): void {
    const cause = this.cause;
    this.cause = source;
    this.router.drive(line, source, level);
    this.cause = cause;
  }

  pulseLine(line: number, source: number): void {
    this.driveLine(line, source, 1);
    this.#endsPulse = true;
    this.driveLine(line, source, 0);
    this.#endsPulse = false;
  }

  assignLine(line: number, source: number, levels: number, changed: number): void {
    const back = changed & ~(levels ^ this.router.hpetSources(line));
    if (back) this.#assignLine(line, source, levels ^ back);
    this.#assignLine(line, source, levels);
  }

  #assignLine(line: number, source: number, levels: number): void {
    const cause = this.cause;
    this.cause = this.router.raisedBy(line, source, levels);
    this.router.assign(line, this.cause, levels);
    this.cause = cause;
  }

  sendMsi(timer: number, address: number, data: number): void {
    packMsi(this.#event, timer, address, data);
    this.#emit(timer);
  }

  setPitGate(level: number): void {
    this.memory.set(PIT_GATE, level);
  }

  #driveInput(gsi: number, routed: number, source: number): void {
    const level = this.xen.filter(gsi, routed, source);
    // The pair first: an ExtINT entry of the same GSI fetches the vector of this request.
    this.pic.setInput(gsi, level, this.#endsPulse);
    const entered = this.design.irq.enter(this, IOAPIC);
    this.ioapic.setInput(gsi, level);
    this.design.irq.leave(this, IOAPIC, entered);
  }

  /** For the event of a line: what was decided last, where that need not be what is applied now. */
  #newestDecision(source: number): number {
    return this.design.irq.numbered && source < SOURCE_EXTERNAL ? this.decisions.newest(source) : 0;
  }

  /** Emits the event that was packed. */
  #emit(cause: number): void {
    const { statistics } = this.thread;
    const event = this.#event;
    statistics.interrupt(event.kind);
    event.cause = cause;
    event.virtualTime = this.clock.now();
    event.deadline = this.deadline;
    statistics.emitted(this.host.events.emit(this.slot, event), event);
  }

  #onEarlierDeadline(): void {
    if (!this.hasManualClock) this.host.kickMainLoop(this.slot);
  }

  // Counting threads that are inside a device together

  enterDevice(): void {
    if (!this.memory.get(COUNT_OVERLAP)) return;
    this.#inside++;
    if (this.memory.add(INSIDE, 1) > 0) this.thread.statistics.overlapped();
  }

  leaveDevice(): void {
    if (!this.memory.get(COUNT_OVERLAP)) return;
    this.#inside--;
    this.memory.add(INSIDE, -1);
  }
}
