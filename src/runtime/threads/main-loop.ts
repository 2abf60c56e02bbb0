import type { DueWork } from '../../core/machine/due-work.js';
import { Machine } from '../../core/machine/machine.js';
import type { Memory } from '../../core/memory/memory.js';
import type { Thread } from '../../core/sync/thread.js';
import { NO_MACHINE } from '../memory/progress.js';
import { machineAt, type SharedMap } from '../memory/shared-map.js';
import { DeadlineQueue } from '../rings/deadline-queue.js';
import { ThreadHost } from './host.js';
import { SlotLoop } from './slot-loop.js';

/** The main loop: for every machine, timers that are due and control work, under that machine's BQL; then sleep. */
export class MainLoop extends SlotLoop {
  readonly machine: Machine;
  readonly due: DueWork;
  readonly #host: ThreadHost;

  constructor(thread: Thread, memory: Memory, map: SharedMap, deadlines = new DeadlineQueue()) {
    const host = new ThreadHost(thread.shared, map);
    super(thread, map, map.kicked, host.mainLoopBell, deadlines);
    this.#host = host;
    this.machine = new Machine(memory, thread, host);
    this.due = this.machine.due;
  }

  /** Runs everything that is due, then sleeps until something will be. */
  iterate(): void {
    this.#host.progress?.step();
    this.answerRound();
    this.runKicked();
    this.runDue();
    this.sleep();
  }

  /** Answers requests for a round of the main loop. */
  answerRound(): void {
    const { shared } = this.thread;
    const wanted = shared.load(this.map.roundsWanted);
    if (shared.load(this.map.roundsDone) === wanted) return;
    shared.store(this.map.roundsDone, wanted);
    this.#host.gatewayBell.ring();
  }

  /** Whether a round is requested. */
  protected override isWanted(): boolean {
    const { shared } = this.thread;
    return shared.load(this.map.roundsDone) !== shared.load(this.map.roundsWanted);
  }

  /** One round for a machine. If more is due then, at host time `now`, the next round comes after those of all others. */
  protected visit(slot: number, now: number): void {
    const { progress } = this.#host;
    this.machine.select(machineAt(this.map, slot));
    progress?.enter(slot);
    this.#run(slot, now);
    progress?.enter(NO_MACHINE);
    progress?.step();
  }

  #run(slot: number, now: number): void {
    const { mayAct } = this.#host;
    const controlled = this.due.run(mayAct);
    // The thread that ends it kicks the machine; so does the gateway when it has a lease again.
    if (this.due.isHeldUp || !mayAct) this.deadlines.set(slot, Number.POSITIVE_INFINITY);
    else this.#schedule(slot, now);
    if (controlled) this.#host.gatewayBell.ring();
    this.#host.publish();
  }

  #schedule(slot: number, now: number): void {
    const next = this.due.nextHostTime();
    const isAgain = this.due.isUnfinished || next <= now;
    if (isAgain) this.again(slot);
    this.deadlines.set(slot, isAgain ? Number.POSITIVE_INFINITY : next);
  }
}
