import type { LeaseRecord } from './records.js';

/** Where machines go: each to the node that has the most room when those before it are placed. */
export class Placement {
  /** A heap: the node with the most room first. */
  readonly #nodes: { readonly lease: LeaseRecord; room: number }[] = [];

  constructor(leases: Iterable<LeaseRecord>) {
    for (const lease of leases) {
      const { draining, room } = lease;
      if (draining || room.machines < 1) continue;
      this.#nodes.push({ lease, room: room.machines * (1 - room.load) });
      this.#rise(this.#nodes.length - 1);
    }
  }

  /** The node for the next machine; undefined if no node has room. */
  next(): LeaseRecord | undefined {
    const [first] = this.#nodes;
    if (!first || first.room <= 0) return undefined;
    first.room -= 1 - first.lease.room.load;
    this.#sink();
    return first.lease;
  }

  #isBefore(a: number, b: number): boolean {
    const [first, second] = [this.#nodes[a], this.#nodes[b]];
    if (first.room !== second.room) return first.room > second.room;
    return first.lease.node < second.lease.node;
  }

  #swap(a: number, b: number): void {
    [this.#nodes[a], this.#nodes[b]] = [this.#nodes[b], this.#nodes[a]];
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(): void {
    for (let at = 0; ; ) {
      let first = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#nodes.length && this.#isBefore(child, first)) first = child;
      }
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }
}
