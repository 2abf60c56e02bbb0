import { KICK_AREA as AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';

const TIMERS = 25;
const CAPACITY = 32;

/** Bit n: timer n is marked and not drained yet. */
const MARKED = AREA.word('marked', 'sync');
const HEAD = AREA.word('head', 'sync');
const TAIL = AREA.word('tail', 'sync');
const QUEUE = AREA.words('queue', CAPACITY, 'ring');
/** Per timer, the newest arming that is marked; NONE once an entry of the queue has taken it. */
const GENERATION = AREA.words('generation', TIMERS, 'sync');
/** The deadline of each marked timer: virtual ns, 0 to 2^63. */
const DEADLINE = AREA.words('deadline', TIMERS * 2 + 1, 'ring');

/** The generation of no arming (`timer-list.ts`). */
const NONE = 0;

/**
 * Timers whose callbacks wait for a vCPU thread to run them, in the order in which they came due. One producer, the
 * main loop; the consumer holds the HPET's guard.
 */
export class Kicks {
  /** What the last successful `take` took. */
  taken = 0;
  takenGeneration = 0;
  takenDeadline = 0;

  constructor(readonly memory: Memory) {}

  get isEmpty(): boolean {
    return this.memory.load(HEAD) === this.memory.load(TAIL);
  }

  /** Marks a timer; one that is marked already now stands for the new arming. */
  mark(timer: number, generation: number, deadline: number): void {
    const { memory } = this;
    memory.store(GENERATION + timer, generation);
    if (memory.or(MARKED, 1 << timer) & (1 << timer)) return;
    const tail = memory.load(TAIL);
    memory.set(QUEUE + (tail & (CAPACITY - 1)), timer);
    memory.setTime(deadlineOf(timer), deadline);
    memory.store(TAIL, (tail + 1) | 0);
  }

  /** Takes the first entry off the queue; false if there is none, or an older entry has taken its arming. */
  take(): boolean {
    const { memory } = this;
    const head = memory.load(HEAD);
    if (head === memory.load(TAIL)) return false;
    this.taken = memory.get(QUEUE + (head & (CAPACITY - 1)));
    this.takenDeadline = memory.getTime(deadlineOf(this.taken));
    memory.store(HEAD, (head + 1) | 0);
    // First the mark, then the generation: a newer arming either marks again or is the one taken here. It may do both:
    // then this entry runs it, and its own entry finds nothing.
    memory.add(MARKED, -(1 << this.taken));
    this.takenGeneration = memory.exchange(GENERATION + this.taken, NONE);
    return this.takenGeneration !== NONE;
  }
}

function deadlineOf(timer: number): number {
  return DEADLINE + (DEADLINE & 1) + timer * 2;
}
