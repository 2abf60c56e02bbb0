import type { Memory } from '../../core/memory/memory.js';
import type { Thread } from '../../core/sync/thread.js';
import { bitmapWords, type SharedMap } from '../memory/shared-map.js';
import type { DeadlineQueue } from '../rings/deadline-queue.js';
import type { Doorbell } from '../rings/doorbell.js';

/** A thread that visits machines: those that other threads kicked, and those whose deadline has come. Then it sleeps. */
export abstract class SlotLoop {
  constructor(
    readonly thread: Thread,
    readonly map: SharedMap,
    /** The bitmap of kicked machines. */
    readonly kicked: number,
    readonly bell: Doorbell,
    /** What it knows of the machines from earlier rounds. */
    readonly deadlines: DeadlineQueue,
  ) {}

  /** Visits a machine. `now`: the host time at which its deadline had come, or -Infinity. Sets its next deadline. */
  protected abstract visit(slot: number, now: number): void;

  /** Whether something else than a machine needs the thread. */
  protected isWanted(): boolean {
    return false;
  }

  /** Visits the machines that other threads kicked. */
  runKicked(): void {
    const { shared } = this.thread;
    const words = bitmapWords(this.map);
    for (let word = 0; word < words; word++) {
      if (shared.load(this.kicked + word) === 0) continue;
      // Cleared before the visit: what comes later sets it again.
      let bits = shared.exchange(this.kicked + word, 0);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits);
        bits &= ~(1 << bit);
        this.visit(word * 32 + bit, Number.NEGATIVE_INFINITY);
      }
    }
  }

  /** Visits the machines whose deadline has come, each once: none is due before this time afterwards. */
  runDue(): void {
    const now = this.thread.shared.hostTime();
    while (this.deadlines.earliest <= now) this.visit(this.deadlines.first, now);
  }

  /** The thread, which is awake, owes a machine another visit. */
  protected again(slot: number): void {
    this.thread.shared.or(this.kicked + (slot >> 5), 1 << (slot & 31));
  }

  #isKicked(): boolean {
    for (let word = 0; word < bitmapWords(this.map); word++) {
      if (this.thread.shared.load(this.kicked + word) !== 0) return true;
    }
    return false;
  }

  sleep(): void {
    const { shared, statistics } = this.thread;
    const rings = this.bell.prepareToSleep();
    if (this.isWanted() || this.#isKicked()) {
      this.bell.wake();
      return;
    }
    const { earliest } = this.deadlines;
    statistics.sleeps();
    if (earliest === Number.POSITIVE_INFINITY) this.bell.sleep(rings);
    else this.bell.sleep(rings, Math.max(0, earliest - shared.hostTime()));
    statistics.wakes();
  }
}

/** Sets a machine's bit in a bitmap of kicked machines, and rings the bell of the thread that visits them. */
export function kick(shared: Memory, kicked: number, slot: number, bell: Doorbell): void {
  const bit = 1 << (slot & 31);
  // A bit that is set was followed by a ring, and is cleared before the visit.
  if (!(shared.or(kicked + (slot >> 5), bit) & bit)) bell.ring();
}
