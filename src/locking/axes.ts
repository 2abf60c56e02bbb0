import type { Locks } from '../sync/locks.js';

/** Path B: how an MMIO access by a vCPU enters the HPET. */
export interface MmioAxis {
  readonly name: string;
  /** Whether a main counter read enters as well, or needs nothing. */
  readonly guardsCounter: boolean;
  enter(locks: Locks): void;
  leave(locks: Locks): void;
}

/** Path A: how a timer callback on the main loop, which holds the BQL, enters the HPET. */
export interface TimerAxis {
  readonly name: string;
  enter(locks: Locks): void;
  /** Afterwards the main loop holds the BQL as before. */
  leave(locks: Locks): void;
}

/** What a line change, message or gate does once the interrupt controllers are protected. */
export interface IrqTarget {
  readonly locks: Locks;
  driveLine(line: number, source: number, level: number): void;
  sendMsi(timer: number, address: number, data: number): void;
  setPitGate(level: number): void;
}

/** How line changes and messages leave the HPET, and how everything else enters the interrupt controllers. */
export interface IrqAxis {
  readonly name: string;
  /** Whether the controllers have leaf locks of their own, so that nothing on the way to them needs the BQL. */
  readonly lockless: boolean;
  /** Protects one controller (a leaf lock's name) or all of them; returns what `leave` is to undo. */
  enter(locks: Locks, controller: number): boolean;
  leave(locks: Locks, controller: number, entered: boolean): void;
  driveLine(target: IrqTarget, line: number, source: number, level: number): void;
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
