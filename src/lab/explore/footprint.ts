import * as H from './history.js';

/** Addresses of what is not a word: the clock, and the threads that are about to take a lock. */
export const CLOCK = -2;
const POSITIONS = -3;

/** What transitions access: words, plain and synchronising, queues of waiters (by their word), and the two above. */
export class Footprint {
  readonly reads = new Set<number>();
  readonly writes = new Set<number>();

  /** Adds an action of a thread. */
  note(node: H.HistoryNode): void {
    const { kind, address, b } = node;
    if (kind >= H.END) return;
    if (H.isAcquisition(node)) this.reads.add(POSITIONS);
    if (kind === H.HOST_TIME || kind === H.CLOCK || (kind === H.WAIT && b >= 0)) this.reads.add(CLOCK);
    if (address < 0) return;
    const writes = kind === H.SET || kind === H.SET_TIME || (kind > H.LOAD && kind !== H.AWAIT_CHANGE);
    const into = writes ? this.writes : this.reads;
    into.add(address);
    if (kind === H.GET_TIME || kind === H.SET_TIME) into.add(address + 1);
  }

  /** The transition left its thread at this action. */
  ended(node: H.HistoryNode): void {
    if (H.isAcquisition(node)) this.writes.add(POSITIONS);
  }

  /** A timed wait ends. */
  timedOut(address: number): void {
    this.writes.add(address);
    this.reads.add(CLOCK);
  }

  dependsOn(other: Footprint): boolean {
    return overlap(this.writes, other.writes) || overlap(this.writes, other.reads) || overlap(this.reads, other.writes);
  }
}

function overlap(one: ReadonlySet<number>, other: ReadonlySet<number>): boolean {
  const [small, large] = one.size < other.size ? [one, other] : [other, one];
  for (const address of small) if (large.has(address)) return true;
  return false;
}
