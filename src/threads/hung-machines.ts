import type { Request } from './dispatch.js';
import type { LockView } from './lock-view.js';
import { GONE, VIEW } from './submission-ring.js';

/** A machine in which threads hang for ever. */
interface HungMachine {
  readonly threads: Set<number>;
  /** Requests that will not be answered while it exists. */
  readonly held: Request[];
  /** Rings of the vCPU threads that hang. */
  readonly rings: number[];
}

/** What the engine does about a machine in which threads hang. */
export interface HangPorts {
  /** False for a slot that has no machine. */
  exists(slot: number): boolean;
  /** Lets nobody in any more. */
  freeze(slot: number): void;
  /** Puts a thread in the place of one that hangs: the ring of that one, if it had any; undefined if that cannot be. */
  replace(thread: number): { readonly ring?: number } | undefined;
  /** Has `again` called some time later, once. */
  later(again: () => void): void;
}

/** Machines in which a deadlock was left to hang (`onDeadlock: hang`), and the threads that were replaced for it. */
export class HungMachines {
  readonly #machines = new Map<number, HungMachine>();
  readonly #waiting = new Map<number, () => void>();
  #seen = 0;

  constructor(
    readonly lockView: LockView,
    readonly ports: HangPorts,
  ) {}

  has(slot: number): boolean {
    return this.#machines.has(slot);
  }

  /** Resolves when threads have come to hang in a machine. */
  whenHung(slot: number): Promise<void> {
    if (this.has(slot)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(slot, resolve));
  }

  get hasNews(): boolean {
    return this.lockView.deadlockCount !== this.#seen;
  }

  /**
   * Keeps a request that will not be carried out until its machine is removed; false if nothing hangs there. A view is
   * answered at once: it would keep others waiting.
   */
  hold(request: Request): boolean {
    const machine = this.#machines.get(request.slot);
    if (machine && request.operation === VIEW) request.answer(GONE, 0, 0);
    else machine?.held.push(request);
    return machine !== undefined;
  }

  /** Notes the machines in which threads have come to hang, and replaces the threads for the others. */
  note(): void {
    if (!this.hasNews) return;
    const seen = this.#seen;
    this.#seen = this.lockView.deadlockCount;
    for (const slot of this.lockView.hungSlots(seen)) {
      if (this.has(slot) || !this.ports.exists(slot)) continue;
      this.#machines.set(slot, { threads: new Set(), held: [], rings: [] });
      this.ports.freeze(slot);
      this.#replaceStuck(slot);
      this.#waiting.get(slot)?.();
    }
  }

  /** Others may run into those that hang later: it looks again and again. */
  #replaceStuck(slot: number): void {
    const machine = this.#machines.get(slot);
    if (!machine) return;
    for (const thread of this.lockView.stuckThreads(slot)) {
      if (machine.threads.has(thread)) continue;
      const replaced = this.ports.replace(thread);
      if (!replaced) continue;
      machine.threads.add(thread);
      if (replaced.ring !== undefined) machine.rings.push(replaced.ring);
    }
    this.ports.later(() => this.#replaceStuck(slot));
  }

  /** Forgets a machine; what it leaves is for the caller to clear up. */
  take(slot: number): HungMachine | undefined {
    const machine = this.#machines.get(slot);
    this.#machines.delete(slot);
    return machine;
  }

  forgetWaiting(slot: number): void {
    this.#waiting.delete(slot);
  }
}
