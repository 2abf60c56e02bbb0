import { LOAD_AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';

const DUTY = LOAD_AREA.word('duty', 'sync');
const HOLD = LOAD_AREA.word('hold', 'sync');
const BURN = LOAD_AREA.word('burn', 'sync');
const READS_COUNTER = LOAD_AREA.word('readsCounter', 'sync');
/** Never notified: the main loop sleeps on it, as it would in a system call. */
const NAP = LOAD_AREA.word('nap', 'sync');
/** Host time of the next hold in ns, not below 0; belongs to the main loop. */
const NEXT = LOAD_AREA.time('next', 'control');

export interface BqlLoadOptions {
  /** Share of the time for which the BQL is held, in thousandths, 0 to 950. */
  readonly duty: number;
  /** Length of each hold, in ns, up to 1 s. */
  readonly hold: number;
  /** Whether a hold burns a core, or sleeps. */
  readonly burn: boolean;
  /**
   * Whether each hold, in place of both, reads the main counter once, as a monitor command does that has the BQL. No
   * configuration asks for it: with `seqlock: legacy` it is what holds up the main loop of all machines.
   */
  readonly readsCounter?: boolean;
}

/** Background work of the main loop under the BQL, as other devices and monitor commands would do. */
export class BqlLoad {
  constructor(
    readonly memory: Memory,
    readonly readCounter: () => void = () => {},
  ) {}

  /** May be changed at any time, by any thread. */
  configure(options: BqlLoadOptions): void {
    this.memory.store(HOLD, options.hold);
    this.memory.store(BURN, options.burn ? 1 : 0);
    this.memory.store(READS_COUNTER, options.readsCounter ? 1 : 0);
    this.memory.store(DUTY, options.duty);
  }

  get options(): BqlLoadOptions {
    return { duty: this.memory.load(DUTY), hold: this.memory.load(HOLD), burn: this.memory.load(BURN) !== 0 };
  }

  /** The host time of the next hold, or Infinity. */
  nextHostTime(): number {
    return this.memory.load(DUTY) ? this.memory.getTime(NEXT) : Number.POSITIVE_INFINITY;
  }

  /** Works for one hold, if it is time; the main loop holds the BQL. */
  run(): void {
    const { memory } = this;
    const duty = memory.load(DUTY);
    const start = memory.hostTime();
    if (duty === 0 || start < memory.getTime(NEXT)) return;
    const hold = memory.load(HOLD);
    if (memory.load(READS_COUNTER)) this.readCounter();
    else if (memory.load(BURN)) while (memory.hostTime() - start < hold);
    else memory.wait(NAP, 0, hold);
    // From the start, so that a late hold does not lower the share; from now on, if that has passed.
    memory.setTime(NEXT, Math.max(start + (hold * 1000) / duty, memory.hostTime()));
  }
}
