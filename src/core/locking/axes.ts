import type { Locks } from '../sync/locks.js';
import type { DeferredList } from './deferred-list.js';
import type { LineDecisions } from './line-decisions.js';
import type { LineQueue } from './line-queue.js';

/** What the rest of the code needs to know of an mmio value. No code recognises an axis value by its name. */
export interface MmioTraits {
  /** Whether all accesses are under the BQL, main counter reads and deferred calls as well; else under the mutex. */
  readonly underBql: boolean;
}

/** Path B: how an MMIO access by a vCPU enters the HPET. */
export interface MmioAxis extends MmioTraits {
  readonly name: string;
  enter(locks: Locks): void;
  leave(locks: Locks): void;
}

export interface TimerTraits {
  /** Attribute of the HPET's timers: the main loop releases the BQL around their callbacks. */
  readonly lockless: boolean;
  /** Whether the callback only asks a vCPU thread to do the work, later and like path B. */
  readonly kicks: boolean;
  /** Whether the callback does its work with the BQL kept from the main loop; a mutex then comes under it. */
  readonly keepsBql: boolean;
  /** Whether `enter` takes the BQL under the mutex. */
  readonly takesBqlUnderMutex: boolean;
}

/** Path A: how a timer callback on the main loop, which holds the BQL, enters the HPET. */
export interface TimerAxis extends TimerTraits {
  readonly name: string;
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

export interface IrqTraits {
  /** Whether the controllers have leaf locks of their own, so that nothing on the way to them needs the BQL. */
  readonly lockless: boolean;
  /** Whether changes are decided and applied apart, and decisions therefore numbered (`LineDecisions.decide`). */
  readonly numbered: boolean;
  /** Whether a change takes the BQL where it is made, under whatever is held. */
  readonly takesBql: boolean;
  /** Whether `end` takes the mutex under the BQL. */
  readonly takesMutexUnderBql: boolean;
  /** Whether an access that was given all its locks leaves nothing to apply after it: it may then run on the gateway. */
  readonly appliesInPlace: boolean;
  /** Whether level changes of one access that cancel each other may stay unseen. */
  readonly coalesces: boolean;
}

/** How line changes and messages leave the HPET, and how everything else enters the interrupt controllers. */
export interface IrqAxis extends IrqTraits {
  readonly name: string;
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

export interface ControlTraits {
  /** Whether control work takes the mutex. */
  readonly takesMutex: boolean;
  /** Whether it takes BQL and mutex in the order of the rest of the design; else the mutex under the BQL. */
  readonly followsOrder: boolean;
}

/** Path C: how control work on the main loop, which comes with the BQL held, enters the HPET. */
export interface ControlAxis extends ControlTraits {
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

/**
 * The order of BQL and mutex in a design: whether some path other than control work takes the BQL under the mutex. The traits
 * declare it; `src/core/sync/lock-order-recorder.ts` records the order that threads take.
 */
export function takesBqlUnderMutex({ mmio, timer, irq }: Design): boolean {
  if (timer.takesBqlUnderMutex) return true;
  return irq.takesBql && (!mmio.underBql || timer.lockless);
}
