import { LOAD_AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';
import { MAIN_LOOP_TURN, Turn } from './turn.js';

/** The share in thousandths. 0 until a load is configured for the first time; NO_LOAD if it has none any longer. */
const DUTY = LOAD_AREA.word('duty', 'sync');
const HOLD = LOAD_AREA.word('hold', 'sync');
const BURN = LOAD_AREA.word('burn', 'sync');
const READS_COUNTER = LOAD_AREA.word('readsCounter', 'sync');
/** Never notified: the load thread sleeps on it, as a device would in a system call. */
const NAP = LOAD_AREA.word('nap', 'sync');
/** Host time of the next hold in ns, not below 0; belongs to the thread that works. */
const NEXT = LOAD_AREA.time('next', 'control');

const NO_LOAD = -1;

export interface BqlLoadOptions {
  /** Share of the time for which the BQL is held, in thousandths, 0 to 950. */
  readonly duty: number;
  /** Length of each hold, in ns, up to 1 s. */
  readonly hold: number;
  /** Whether a hold burns a core, or sleeps. */
  readonly burn: boolean;
  /**
   * Whether the main loop, in place of holds, reads the main counter once each time, as a monitor command does that has
   * the BQL. No configuration asks for it: with `seqlock: legacy` it is what holds up the main loop of all machines.
   */
  readonly readsCounter?: boolean;
}

/**
 * Background work under the BQL, as other devices and monitor commands would do. Holds run on the load thread: they may
 * last up to a second, and the main loop has other machines to serve.
 */
export class BqlLoad {
  readonly turn: Turn;

  constructor(
    readonly memory: Memory,
    readonly readCounter: () => void = () => {},
  ) {
    this.turn = new Turn(memory);
  }

  /** The gateway may change it at any time; the main loop has to look at the machine afterwards. */
  configure(options: BqlLoadOptions): void {
    const { memory } = this;
    const isFirst = memory.load(DUTY) === 0;
    if (isFirst && options.duty === 0) return;
    memory.store(HOLD, options.hold);
    memory.store(BURN, options.burn ? 1 : 0);
    memory.store(READS_COUNTER, options.readsCounter ? 1 : 0);
    if (isFirst) this.turn.begin();
    memory.store(DUTY, options.duty || NO_LOAD);
  }

  get options(): BqlLoadOptions {
    const { memory } = this;
    return {
      duty: Math.max(0, memory.load(DUTY)),
      hold: memory.load(HOLD),
      burn: memory.load(BURN) !== 0,
    };
  }

  // On the main loop

  /** Whether a load was ever configured. A round of a machine without one accesses no other word of the load. */
  get isUsed(): boolean {
    return this.memory.load(DUTY) !== 0;
  }

  /** Whether the main loop may enter the machine. If not, the load thread kicks it at the end of the hold. */
  admitsMainLoop(): boolean {
    return this.turn.take(MAIN_LOOP_TURN);
  }

  /** The main loop leaves the machine; returns whether the load thread waits to be woken up. */
  mainLoopLeaves(): boolean {
    return this.turn.leave(MAIN_LOOP_TURN);
  }

  /** The host time at which the main loop is to read the main counter next, or Infinity. */
  nextCounterRead(): number {
    return this.isUsed && this.memory.load(READS_COUNTER) ? this.nextHold() : Number.POSITIVE_INFINITY;
  }

  /** Reads the main counter, if it is time; the main loop holds the BQL. */
  runCounterRead(): void {
    const now = this.memory.hostTime();
    if (now < this.nextCounterRead()) return;
    this.readCounter();
    this.#schedule(now);
  }

  // On the load thread

  /** The host time of the next hold, or Infinity. */
  nextHold(): number {
    return this.memory.load(DUTY) > 0 ? this.memory.getTime(NEXT) : Number.POSITIVE_INFINITY;
  }

  /** Works for one hold; the caller has the turn and the BQL. */
  hold(): void {
    const { memory } = this;
    const start = memory.hostTime();
    const hold = memory.load(HOLD);
    if (memory.load(BURN)) while (memory.hostTime() - start < hold);
    else memory.wait(NAP, 0, hold);
    this.#schedule(start);
  }

  /** From the start, so that a late hold does not lower the share; from now on, if that has passed. */
  #schedule(start: number): void {
    const { memory } = this;
    const duty = Math.max(1, memory.load(DUTY));
    memory.setTime(NEXT, Math.max(start + (memory.load(HOLD) * 1000) / duty, memory.hostTime()));
  }
}
