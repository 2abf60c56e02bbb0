import type { Request } from '../rings/requests.js';
import { GONE, VIEW } from '../rings/submission-ring.js';
import type { LockView } from '../statistics/lock-view.js';

/** A machine in which threads hang indefinitely, or in which one died. */
export interface HungMachine {
  /** Threads that hang, or hung until they were ended. */
  readonly threads: Set<number>;
  /** Threads that died in it. */
  readonly lost: Set<number>;
  /** Threads that died in it or were ended: locks of it may be theirs. */
  readonly gone: Set<number>;
  /** Requests that will not be answered while it exists. */
  readonly held: Request[];
  /** Rings of the vCPU threads that hang. */
  readonly rings: number[];
}

/** Actions of the engine on a machine in which threads hang. */
export interface HangPorts {
  /** False for a slot that has no machine. */
  exists(slot: number): boolean;
  /** Blocks new requests. */
  freeze(slot: number): void;
  /** A thread died in a frozen machine: its waiters must recheck. Called repeatedly. */
  wake(slot: number): void;
  /** Starts a thread in place of one that hangs; returns the ring of that one, if any. Undefined if none can start. */
  replace(thread: number): { readonly ring?: number } | undefined;
  /** Calls `again` once, some time later. */
  later(again: () => void): void;
}

interface Waiting {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/**
 * Machines in which a deadlock was left to hang (`onDeadlock: hang`), or in which a thread died, and the threads that
 * were replaced for it.
 */
export class HungMachines {
  readonly #machines = new Map<number, HungMachine>();
  readonly #waiting = new Map<number, Waiting>();
  #seen = 0;

  constructor(
    readonly lockView: LockView,
    readonly ports: HangPorts,
  ) {}

  has(slot: number): boolean {
    return this.#machines.has(slot);
  }

  /** Whether a thread died in a machine. */
  hasLost(slot: number): boolean {
    return (this.#machines.get(slot)?.lost.size ?? 0) > 0;
  }

  /** Whether locks of any machine may still name a thread that has ended. */
  names(thread: number): boolean {
    return [...this.#machines.values()].some(({ gone }) => gone.has(thread));
  }

  /** Resolves when threads hang in a machine. */
  whenHung(slot: number): Promise<void> {
    if (this.has(slot)) return Promise.resolve();
    const known = this.#waiting.get(slot);
    if (known) return known.promise;
    let resolve = () => {};
    const promise = new Promise<void>((hung) => {
      resolve = hung;
    });
    this.#waiting.set(slot, { promise, resolve });
    return promise;
  }

  get hasNews(): boolean {
    return this.lockView.deadlockCount !== this.#seen;
  }

  /**
   * Keeps a request unexecuted until its machine is removed; false if no thread hangs there. A view is answered at once,
   * since it would block later views. So is every request where a thread died: no design explains that hang.
   */
  hold(request: Request): boolean {
    const machine = this.#machines.get(request.slot);
    if (machine && (request.operation === VIEW || machine.lost.size > 0)) request.answer(GONE, 0, 0);
    else machine?.held.push(request);
    return machine !== undefined;
  }

  /** Finds machines in which threads hang since the last call, and replaces those threads for the other machines. */
  note(): void {
    if (!this.hasNews) return;
    this.#seen = this.lockView.deadlockCount;
    for (const slot of this.lockView.hungSlots()) {
      if (this.has(slot) || !this.ports.exists(slot)) continue;
      this.#begin(slot);
      this.#replaceStuck(slot);
    }
  }

  /** A thread died in a machine: new requests are blocked, and threads that wait for the dead one are replaced. */
  lose(slot: number, thread: number): void {
    const known = this.#machines.get(slot);
    const machine = known ?? this.#begin(slot);
    machine.lost.add(thread);
    machine.gone.add(thread);
    for (const request of machine.held.splice(0)) request.answer(GONE, 0, 0);
    if (!known) this.#replaceStuck(slot);
  }

  /** A thread died that may hang in a machine: it need not be ended. */
  bury(thread: number): void {
    for (const { threads, gone } of this.#machines.values()) if (threads.has(thread)) gone.add(thread);
  }

  #begin(slot: number): HungMachine {
    const none = () => new Set<number>();
    const machine = { threads: none(), lost: none(), gone: none(), held: [], rings: [] };
    this.#machines.set(slot, machine);
    this.ports.freeze(slot);
    this.#waiting.get(slot)?.resolve();
    this.#waiting.delete(slot);
    return machine;
  }

  /** Other threads may block on these later: the check repeats. */
  #replaceStuck(slot: number, machine = this.#machines.get(slot)): void {
    // Another machine may be in the slot by now.
    if (!machine || this.#machines.get(slot) !== machine) return;
    if (machine.lost.size > 0) this.ports.wake(slot);
    for (const thread of this.lockView.stuckThreads(slot, machine.gone)) {
      if (machine.threads.has(thread)) continue;
      const replaced = this.ports.replace(thread);
      if (!replaced) continue;
      machine.threads.add(thread);
      if (replaced.ring !== undefined) machine.rings.push(replaced.ring);
    }
    this.ports.later(() => this.#replaceStuck(slot, machine));
  }

  get(slot: number): HungMachine | undefined {
    return this.#machines.get(slot);
  }

  /** No thread is in the machine, and no lock names one; the caller frees what the machine used. */
  forget(slot: number): void {
    this.#machines.delete(slot);
  }

  forgetWaiting(slot: number): void {
    this.#waiting.delete(slot);
  }
}
