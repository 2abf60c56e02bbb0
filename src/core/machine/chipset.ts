import { GsiRouter, PIT_GATE } from '../devices/gsi/router.js';
import { SOURCE_EXTERNAL } from '../devices/gsi/sources.js';
import { XenFilter, type XenOptions } from '../devices/gsi/xen-filter.js';
import { Hpet } from '../devices/hpet/hpet.js';
import { Ioapic } from '../devices/ioapic/ioapic.js';
import { picQuirkBits } from '../devices/quirks.js';
import type { Design, IrqTarget } from '../locking/axes.js';
import { DeferredList } from '../locking/deferred-list.js';
import { LineDecisions } from '../locking/line-decisions.js';
import { LineQueue } from '../locking/line-queue.js';
import { emptyEvent } from '../memory/event-words.js';
import type { Memory } from '../memory/memory.js';
import { LockAssertionError } from '../sync/lock-assertion.js';
import { BQL, IOAPIC, PIC, ROUTER } from '../sync/lock-names.js';
import { Locks } from '../sync/locks.js';
import type { Thread } from '../sync/thread.js';
import { Clock } from './clock.js';
import { COUNT_OVERLAP, hasManualClock, INSIDE } from './configuration.js';
import { packAddress, packApic, packIntr, packLine, packMsi } from './events.js';
import type { MachineHost } from './host.js';
import { Pic } from './pic.js';
import { STORM_TIMER, TimerList } from './timer-list.js';

export interface ChipsetOptions {
  readonly hpet: { readonly timers: number; readonly msi: boolean; readonly routingCapability: number };
  readonly ioapic: { readonly version: number; readonly id: number };
  /** Whether there is an 8259 pair; GSIs 0–15 drive it beside the IOAPIC. True if not given. */
  readonly pic?: boolean;
  /** A filter between GSI router and interrupt controllers; none if not given. */
  readonly xen?: XenOptions | undefined;
  /** Quirk bits, `devices/quirks.ts`. */
  readonly quirks: number;
  /** Number of vCPUs; if not given, each interrupt message is accepted. */
  readonly vcpus?: number;
  /** Per vCPU `logicalAddress` (`devices/ioapic/destinations.ts`); 0 where not given. */
  readonly logicalAddresses?: readonly number[];
  /** `legacy`: interrupts are raised inside the main counter's write section, as in QEMU 10.2. */
  readonly seqlock?: 'short' | 'legacy';
}

/**
 * The devices of a machine, wired once:
 *
 *     HPET ── irq axis ── GSI router ── Xen filter ─┬─ 8259 pair ── INTR
 *       └──── irq axis ── MSI                       └─ IOAPIC ── messages
 *
 * The irq axis protects its target, this chipset, and then calls the methods of `IrqTarget`. Every line change and every
 * message leaves as an event. The chipset also has what the paths into the devices share: locks, clock and timer list.
 */
export class Chipset implements IrqTarget {
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

  // Of the selected machine
  slot = 0;
  quirks = 0;
  design!: Design;

  /** The cause of the events of the present path: a source of a line, or one of `events.ts`. */
  cause = 0;
  /** The deadline of the timer that began the present path, in virtual ns, or −1. */
  deadline = -1;

  readonly #event = emptyEvent();
  /** While this thread lowers a line at the end of a pulse. */
  #endsPulse = false;
  /** How often this thread is counted as inside a device. */
  #inside = 0;

  constructor(
    readonly memory: Memory,
    readonly thread: Thread,
    readonly host: MachineHost,
  ) {
    const { statistics } = thread;
    this.locks = new Locks(memory, thread);
    this.clock = new Clock(memory);
    this.timers = new TimerList(memory, this.locks, () => this.#onEarlierDeadline());
    this.deferred = new DeferredList(statistics);
    this.decisions = new LineDecisions(memory, (reason) => statistics.stale(reason));
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
      coalesced: () => statistics.coalesced(),
    });
    this.hpet = new Hpet(memory, {
      now: () => this.clock.now(),
      arm: (timer, deadline) => this.timers.arm(timer, deadline),
      cancel: (timer) => this.timers.cancel(timer),
      setLine: (line, source, level) => this.design.irq.driveLine(this, line, source, level),
      pulseLine: (line, source) => this.design.irq.pulseLine(this, line, source),
      sendMsi: (timer, address, data) => this.design.irq.sendMsi(this, timer, address, data),
      setPitGate: (level) => this.design.irq.setPitGate(this, level),
    });
  }

  /** Makes new devices in zeroed memory, as after power-on. */
  create(options: ChipsetOptions): void {
    const { hpet, ioapic, pic = true, xen, quirks, seqlock, vcpus = 0, logicalAddresses = [] } = options;
    this.router.create(quirks);
    this.xen.create(xen);
    this.ioapic.create({ ...ioapic, quirks, vcpus, logicalAddresses });
    this.pic.create(pic, picQuirkBits(quirks));
    this.hpet.create({ ...hpet, quirks, legacySequenceLock: seqlock === 'legacy' });
    this.memory.set(PIT_GATE, 1);
  }

  #onEarlierDeadline(): void {
    if (!hasManualClock(this.memory)) this.host.kickMainLoop(this.slot);
  }

  // Paths into the devices

  /** Begins a path: its locks are counted at this call site, and its events name this cause. */
  beginPath(site: number, cause: number): void {
    this.locks.site = site;
    this.cause = cause;
    this.deadline = -1;
  }

  /** Protects an interrupt controller, named by its leaf lock; returns what `leave` needs. */
  enter(controller: number): boolean {
    return this.design.irq.enter(this, controller);
  }

  leave(controller: number, entered: boolean): void {
    this.design.irq.leave(this, controller, entered);
  }

  /** Calls `copy` while no thread changes the HPET. */
  withHpet(copy: () => void): void {
    this.design.mmio.enter(this.locks);
    copy();
    this.design.mmio.leave(this.locks);
  }

  /** Calls `copy` while no thread changes the GSI router and the interrupt controllers. */
  withInterruptControllers(copy: () => void): void {
    const routerEntered = this.enter(ROUTER);
    const ioapicEntered = this.enter(IOAPIC);
    const picEntered = this.enter(PIC);
    copy();
    this.leave(PIC, picEntered);
    this.leave(IOAPIC, ioapicEntered);
    this.leave(ROUTER, routerEntered);
  }

  /** Counts this thread as inside a device, if overlap is counted. */
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

  /**
   * Ends a path that a failed assertion interrupted, and counts the failure: then this thread holds the locks of the mask
   * `held` and no other. Throws any other error.
   */
  breakOff(error: unknown, held: number): void {
    if (!(error instanceof LockAssertionError)) throw error;
    this.xen.countFailure(error.site, this.thread.id);
    while (this.#inside > 0) this.leaveDevice();
    this.hpet.counter.releaseReaders();
    this.locks.restore(held);
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

  /** The caller holds the IOAPIC's guard: the event precedes the messages that the new address lets through. */
  setLogicalAddress(vcpu: number, address: number): void {
    packAddress(this.#event, vcpu, address);
    this.host.events.emit(this.slot, this.#event);
    this.ioapic.setLogicalAddress(vcpu, address);
  }

  setPitGate(level: number): void {
    this.memory.set(PIT_GATE, level);
  }

  #driveInput(gsi: number, routed: number, source: number): void {
    const level = this.xen.filter(gsi, routed, source);
    // The pair first: an ExtINT entry of the same GSI fetches the vector of this request.
    this.pic.setInput(gsi, level, this.#endsPulse);
    const entered = this.enter(IOAPIC);
    this.ioapic.setInput(gsi, level);
    this.leave(IOAPIC, entered);
  }

  /** For the event of a line: the newest decision, where that need not be the one that is applied. */
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
}
