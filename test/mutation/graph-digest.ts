import { type HistoryNode, LOAD } from '../../src/lab/explore/history.js';
import type { Oracle } from '../../src/lab/explore/oracle.js';
import type { System } from '../../src/lab/explore/system.js';

/**
 * A digest of a state graph that does not depend on the order of its parts: of each transition the state that it leads to, and of
 * each synchronising operation its thread, address and operands. The order of plain accesses between two operations is no
 * part of it; what they write is part of the states.
 */
export class GraphDigest implements Oracle {
  readonly name = 'digest';
  #transitions = 0n;
  #operations = 0n;

  beforeAction(_: System, thread: number, { id, kind, address, a, b, parentValue }: HistoryNode): void {
    if (kind >= LOAD) this.#operations += mixed([thread, id, kind, address, a, b, parentValue]);
  }

  afterTransition(system: System): void {
    this.#transitions += mixed(system.hashState());
  }

  text(states: number, transitions: number): string {
    const [of, operations] = [this.#transitions, this.#operations].map((sum) => BigInt.asUintN(64, sum).toString(16));
    return `${states} ${transitions} ${of} ${operations}`;
  }
}

/** FNV-1a over words, in two halves. */
function mixed(words: Iterable<number>): bigint {
  let [low, high] = [0x811c9dc5, 0x9747b28c];
  for (const word of words) {
    low = Math.imul(low ^ word ^ (word >>> 15), 0x01000193);
    high = Math.imul(high ^ word ^ (low >>> 13), 0x5bd1e995);
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
