import type { Locks } from '../sync/locks.js';
import type { DeferredList } from './deferred-list.js';
import type { LineDecisions } from './line-decisions.js';
import type { LineQueue } from './line-queue.js';

/** Path B: how an MMIO access by a vCPU enters the HPET. */
export interface MmioAxis {
  readonly name: string;
  /** Whether all accesses are under the BQL, main counter reads and deferred calls as well. */
  readonly underBql: boolean;
  enter(locks: Locks): void;
  leave(locks: Locks): void;
}

/** Path A: how a timer callback on the main loop, which holds the BQL, enters the HPET. */
export interface TimerAxis {
  readonly name: string;
  /** Attribute of the HPET's timers: the main loop releases the BQL around their callbacks. */
  readonly lockless: boolean;
  /** Whether the callback only asks a vCPU thread to do the work, later and like path B. */
  readonly kicks: boolean;
  enter(locks: Locks): void;
  leave(locks: Locks): void;
}

/** What a line change, message or gate does once the interrupt controllers are protected. */
export interface IrqTarget {
  readonly locks: Locks;
  readonly deferred: DeferredList;
  readonly decisions: LineDecisions;
  readonly lineQueue: LineQueue;
  /** Quirk bits, `devices/quirks.ts`. */
  readonly quirks: number;
  driveLine(line: number, source: number, level: number): void;
  pulseLine(line: number, source: number): void;
  /**
   * Sets the levels of all of the HPET's sources on a line at once, bit n for source n. `changed`: the sources whose
   * level changed since it was applied, there and back included.
   */
  assignLine(line: number, source: number, levels: number, changed: number): void;
  sendMsi(timer: number, address: number, data: number): void;
  setPitGate(level: number): void;
}

/** How line changes and messages leave the HPET, and how everything else enters the interrupt controllers. */
export interface IrqAxis {
  readonly name: string;
  /** Whether the controllers have leaf locks of their own, so that nothing on the way to them needs the BQL. */
  readonly lockless: boolean;
  /** Whether changes are decided and applied apart, and decisions therefore numbered. */
  readonly numbered: boolean;
  /** Protects one controller (named by its leaf lock) or all of them; returns what `leave` is to undo. */
  enter(target: IrqTarget, controller: number): boolean;
  leave(target: IrqTarget, controller: number, entered: boolean): void;
  /** Frames everything that may change lines: before the HPET is entered and after it was left. */
  begin(target: IrqTarget): void;
  end(target: IrqTarget): void;
  /** With a manual clock, with no lock held: waits until other threads have applied the changes that this thread left to them. */
  settle?(target: IrqTarget): void;
  driveLine(target: IrqTarget, line: number, source: number, level: number): void;
  pulseLine(target: IrqTarget, line: number, source: number): void;
  sendMsi(target: IrqTarget, timer: number, address: number, data: number): void;
  setPitGate(target: IrqTarget, level: number): void;
}

/** Path C: how control work on the main loop, which comes with the BQL held, enters the HPET. */
export interface ControlAxis {
  readonly name: string;
  enter(locks: Locks, design: Design): void;
  /** Afterwards the main loop holds the BQL as before. */
  leave(locks: Locks, design: Design): void;
}

/** A locking design: one choice per axis. */
export interface Design {
  readonly mmio: MmioAxis;
  readonly timer: TimerAxis;
  readonly irq: IrqAxis;
  readonly control: ControlAxis;
}
