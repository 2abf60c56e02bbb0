import * as H from './history.js';
import type { Names } from './names.js';
import type { Oracle } from './oracle.js';
import type { System } from './system.js';

/**
 * Shows that an exploration without findings is not vacuous. Collects contended locks, and words at which two threads
 * had conflicting operations enabled at once.
 */
export class Coverage implements Oracle {
  readonly name = 'coverage';
  readonly contended = new Set<string>();
  readonly bothOrders = new Set<string>();
  /** Pairs of histories already compared. */
  readonly #seen = new Map<H.HistoryNode, Set<H.HistoryNode>>();

  constructor(readonly names: Names) {}

  afterTransition(system: System, thread: number): void {
    const node = system.nodes[thread];
    if (node.address < 0) return;
    for (const standing of system.nodes) {
      if (!H.isAcquisition(standing) || system.state.get(standing.address) === 0) continue;
      this.contended.add(this.names.word(standing.address));
    }
    for (let other = 0; other < system.threads.length; other++) {
      if (other === thread || system.nodes[other].address !== node.address) continue;
      if (!changes(node) && !changes(system.nodes[other])) continue;
      if (this.#isKnown(node, system.nodes[other])) continue;
      if (!system.isEnabled(thread) || !system.isEnabled(other)) continue;
      this.#seen.get(node)?.add(system.nodes[other]);
      this.bothOrders.add(this.names.word(node.address));
    }
  }

  #isKnown(one: H.HistoryNode, other: H.HistoryNode): boolean {
    const row = this.#seen.get(one) ?? new Set();
    this.#seen.set(one, row);
    return row.has(other);
  }
}

function changes({ kind }: H.HistoryNode): boolean {
  return kind !== H.LOAD && kind !== H.WAIT && kind !== H.AWAIT_CHANGE;
}
