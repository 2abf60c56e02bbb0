import type { BqlLoad } from '../../core/machine/bql-load.js';
import { Machine } from '../../core/machine/machine.js';
import { LOAD_TURN } from '../../core/machine/turn.js';
import type { Memory } from '../../core/memory/memory.js';
import { MAIN_LOOP } from '../../core/sync/call-sites.js';
import { BQL } from '../../core/sync/lock-names.js';
import type { Thread } from '../../core/sync/thread.js';
import { machineAt, type SharedMap } from '../memory/shared-map.js';
import { DeadlineQueue } from '../rings/deadline-queue.js';
import { ThreadHost } from './host.js';
import { SlotLoop } from './slot-loop.js';

/** The load thread: holds the BQL of the machines that have background work, one after the other, each when it is due. */
export class LoadThread extends SlotLoop {
  readonly machine: Machine;
  readonly load: BqlLoad;
  readonly #host: ThreadHost;

  constructor(thread: Thread, memory: Memory, map: SharedMap, deadlines = new DeadlineQueue()) {
    const host = new ThreadHost(thread.shared, map);
    super(thread, map, map.loadKicked, host.loadBell, deadlines);
    this.#host = host;
    this.machine = new Machine(memory, thread, host);
    this.load = this.machine.due.load;
  }

  /** Runs the holds that are due, then sleeps until one will be. */
  iterate(): void {
    this.runKicked();
    this.runDue();
    this.sleep();
  }

  protected visit(slot: number): void {
    const { machine, load } = this;
    machine.select(machineAt(this.map, slot));
    let next = this.#nextHold();
    const now = this.thread.shared.hostTime();
    if (next <= now) {
      // The main loop kicks this thread when it leaves.
      next = Number.POSITIVE_INFINITY;
      if (load.turn.take(LOAD_TURN)) {
        next = this.#hold(slot, now);
        if (load.turn.leave(LOAD_TURN)) this.#host.kickMainLoop(slot);
      }
    }
    // Other machines come first.
    const isAgain = next <= now;
    if (isAgain) this.again(slot);
    this.deadlines.set(slot, isAgain ? Number.POSITIVE_INFINITY : next);
  }

  #nextHold(): number {
    return this.machine.isAlive ? this.load.nextHold() : Number.POSITIVE_INFINITY;
  }

  /** With the turn, which excludes the main loop, and so a removal. Returns the host time of the next hold. */
  #hold(slot: number, now: number): number {
    const { machine, load } = this;
    // Before it took the turn, another machine may have taken the place, and may have cleared the turn.
    machine.select(machineAt(this.map, slot));
    if (this.#nextHold() <= now && load.turn.isTaken(LOAD_TURN)) {
      machine.locks.site = MAIN_LOOP;
      machine.locks.acquire(BQL);
      load.hold();
      machine.locks.release(BQL);
    }
    return this.#nextHold();
  }
}
