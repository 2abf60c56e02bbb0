import type { DueWork } from '../../core/machine/due-work.js';
import { Machine } from '../../core/machine/machine.js';
import type { Memory } from '../../core/memory/memory.js';
import type { Thread } from '../../core/sync/thread.js';
import { DeadlineQueue } from '../rings/deadline-queue.js';
import { ThreadHost } from './host.js';
import { bitmapWords, machineAt, type SharedMap } from './shared-map.js';

/** The main loop: for every machine, timers that are due and control work, under that machine's BQL; then sleep. */
export class MainLoop {
  readonly machine: Machine;
  readonly due: DueWork;
  readonly #host: ThreadHost;
  readonly #deadlines: DeadlineQueue;

  constructor(
    readonly thread: Thread,
    memory: Memory,
    readonly map: SharedMap,
    /** What it knows of the machines from earlier rounds. */
    deadlines = new DeadlineQueue(),
  ) {
    this.#deadlines = deadlines;
    this.#host = new ThreadHost(thread.shared, map);
    this.machine = new Machine(memory, thread, this.#host);
    this.due = this.machine.due;
  }

  /** Runs everything that is due, then sleeps until something will be. */
  iterate(): void {
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

  #isRoundWanted(): boolean {
    const { shared } = this.thread;
    return shared.load(this.map.roundsDone) !== shared.load(this.map.roundsWanted);
  }

  /** Machines that someone wants looked at. */
  runKicked(): void {
    const { shared } = this.thread;
    const words = bitmapWords(this.map);
    for (let word = 0; word < words; word++) {
      if (shared.load(this.map.kicked + word) === 0) continue;
      // Cleared before the machine is looked at: what comes later sets it again.
      let bits = shared.exchange(this.map.kicked + word, 0);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits);
        bits &= ~(1 << bit);
        this.#run(word * 32 + bit);
      }
    }
  }

  /** Machines whose earliest deadline has come, each for one round: none is due before this time afterwards. */
  runDue(): void {
    const now = this.thread.shared.hostTime();
    while (this.#deadlines.earliest <= now) this.#run(this.#deadlines.first, now);
  }

  #isKicked(): boolean {
    for (let word = 0; word < bitmapWords(this.map); word++) {
      if (this.thread.shared.load(this.map.kicked + word) !== 0) return true;
    }
    return false;
  }

  /** One round for a machine. If more is due then, at host time `now`, the next round comes after those of all others. */
  #run(slot: number, now = Number.NEGATIVE_INFINITY): void {
    this.machine.select(machineAt(this.map, slot));
    const controlled = this.due.run();
    const next = this.due.nextHostTime();
    const isAgain = this.due.isUnfinished || next <= now;
    if (isAgain) this.#host.kickAgain(slot);
    this.#deadlines.set(slot, isAgain ? Number.POSITIVE_INFINITY : next);
    if (controlled) this.#host.gatewayBell.ring();
    this.#host.publish();
  }

  sleep(): void {
    const { shared } = this.thread;
    const bell = this.#host.mainLoopBell;
    const rings = bell.prepareToSleep();
    if (this.#isRoundWanted() || this.#isKicked()) {
      bell.wake();
      return;
    }
    const earliest = this.#deadlines.earliest;
    this.thread.statistics.sleeps();
    if (earliest === Number.POSITIVE_INFINITY) bell.sleep(rings);
    else bell.sleep(rings, Math.max(0, earliest - shared.hostTime()));
    this.thread.statistics.wakes();
  }
}
