import { LOCK_ORDER_AREA as AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';
import { LOCK_COUNT } from './lock-names.js';

/** Word x: bit y is set once some thread took lock y while it held lock x. */
const EDGES = AREA.words('edges', LOCK_COUNT, 'sync');
/** Per edge: 1 + the call site of its first time, and above it the thread. */
const FIRST_SEEN = AREA.words('firstSeen', LOCK_COUNT * LOCK_COUNT, 'sync');

export interface OrderEdge {
  readonly outer: number;
  readonly inner: number;
  /** Where `inner` was first taken under `outer`, and by which thread. */
  readonly site: number;
  readonly thread: number;
}

/**
 * Records the order in which threads take the locks of one machine. Locks are classes, and all threads add to one graph. An edge
 * that closes a cycle is found when it is added, whether or not a thread ever blocks. Edges are never forgotten.
 */
export class LockOrderRecorder {
  /** Per lock: under which locks this thread knows it to be recorded. */
  readonly #known = new Int32Array(LOCK_COUNT);

  constructor(readonly memory: Memory) {}

  /** The memory has selected another machine. */
  forget(): void {
    this.#known.fill(0);
  }

  /** Records that `lock` is about to be taken under `held`; reports each new edge that closes a cycle. */
  record(held: number, lock: number, site: number, thread: number, onInversion: (outer: number) => void): void {
    if ((held & ~this.#known[lock]) === 0) return;
    this.#known[lock] |= held;
    for (let outer = 0; outer < LOCK_COUNT; outer++) {
      if (!(held & (1 << outer)) || this.memory.or(EDGES + outer, 1 << lock) & (1 << lock)) continue;
      this.memory.store(FIRST_SEEN + outer * LOCK_COUNT + lock, (site + 1) | (thread << 8));
      if (this.#leadsTo(lock, outer)) onInversion(outer);
    }
  }

  edges(): OrderEdge[] {
    const edges: OrderEdge[] = [];
    for (let outer = 0; outer < LOCK_COUNT; outer++) {
      const inner = this.memory.load(EDGES + outer);
      for (let lock = 0; lock < LOCK_COUNT; lock++) {
        const seen = this.memory.load(FIRST_SEEN + outer * LOCK_COUNT + lock);
        // The edge is stored before it is reported.
        if (!(inner & (1 << lock)) || seen === 0) continue;
        edges.push({ outer, inner: lock, site: (seen & 0xff) - 1, thread: seen >> 8 });
      }
    }
    return edges;
  }

  /** Whether the graph has a path from one lock to another. */
  #leadsTo(from: number, to: number): boolean {
    let reached = 1 << from;
    for (let before = 0; before !== reached; ) {
      before = reached;
      for (let lock = 0; lock < LOCK_COUNT; lock++) {
        if (before & (1 << lock)) reached |= this.memory.load(EDGES + lock);
      }
    }
    return (reached & (1 << to)) !== 0;
  }
}
