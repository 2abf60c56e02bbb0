import { LOAD_AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';

const TURN = LOAD_AREA.word('turn', 'sync');

/** Values of the word: the thread that has the turn, plus AWAITED if the other one has come meanwhile. */
const FREE = 0;
export const MAIN_LOOP_TURN = 1;
export const LOAD_TURN = 3;
const AWAITED = 1;

/**
 * Decides whether the main loop or the load thread is in a machine that has background work under the BQL. Neither waits
 * for the other: a thread that does not get the turn leaves a mark and visits other machines, and the thread that has the
 * turn wakes it up when it leaves. So the main loop never blocks on a BQL that a hold has.
 */
export class Turn {
  constructor(readonly memory: Memory) {}

  /** Gives the turn to the main loop, as if it were in the machine: its next round lets the load thread in. */
  begin(): void {
    this.memory.compareExchange(TURN, FREE, MAIN_LOOP_TURN + AWAITED);
  }

  /**
   * Takes the turn of `mine`; false if the other thread has it, which then wakes the caller up. Each further pass means
   * that the other thread has left the machine in between.
   */
  take(mine: number): boolean {
    const { memory } = this;
    const other = MAIN_LOOP_TURN + LOAD_TURN - mine;
    for (;;) {
      const found = memory.compareExchange(TURN, FREE, mine);
      if (found === FREE) return true;
      // `begin` gives the main loop the turn. A load thread that left its turn behind is dead.
      if (found === mine || found === mine + AWAITED) return mine === MAIN_LOOP_TURN;
      if (found !== other || memory.compareExchange(TURN, other, other + AWAITED) === other) return false;
    }
  }

  /** Whether the thread of `mine` has the turn. */
  isTaken(mine: number): boolean {
    const found = this.memory.load(TURN);
    return found === mine || found === mine + AWAITED;
  }

  /**
   * Leaves the machine; returns whether the other thread waits to be woken up. A turn of somebody else stays: the memory
   * may belong to another machine by now.
   */
  leave(mine: number): boolean {
    const { memory } = this;
    const found = memory.compareExchange(TURN, mine, FREE);
    return found === mine + AWAITED && memory.compareExchange(TURN, found, FREE) === found;
  }
}
