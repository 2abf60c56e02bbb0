/**
 * The visited states, by a 128-bit hash of the whole state, each with the transition that first reached it. The
 * probability of a collision among n states is n² / 2^129: 10^-25 for ten million.
 */
export class Visited {
  count = 0;

  /** Per state: four words of hash, its parent, and the transition from there. */
  #states = new Int32Array(6 << 12);
  /** Open addressing: 1 + the number of a state, or 0. */
  #table = new Int32Array(1 << 13);

  /** Adds a state; returns its number, or −1 − its number if it was there. */
  add(hash: Int32Array, parent: number, transition: number): number {
    if (this.count * 2 >= this.#table.length) this.#grow();
    const slot = this.#find(hash[0], hash[1], hash[2], hash[3]);
    if (this.#table[slot] !== 0) return -this.#table[slot];
    const state = this.count++;
    this.#table[slot] = state + 1;
    const at = state * 6;
    this.#states.set(hash, at);
    this.#states[at + 4] = parent;
    this.#states[at + 5] = transition;
    return state;
  }

  /** The transitions that lead from the first state to `state`. */
  pathTo(state: number): number[] {
    const path: number[] = [];
    for (let at = state; this.#states[at * 6 + 4] >= 0; at = this.#states[at * 6 + 4]) {
      path.push(this.#states[at * 6 + 5]);
    }
    return path.reverse();
  }

  #find(a: number, b: number, c: number, d: number): number {
    const mask = this.#table.length - 1;
    for (let slot = a & mask; ; slot = (slot + 1) & mask) {
      const state = this.#table[slot] - 1;
      if (state < 0) return slot;
      const at = state * 6;
      const states = this.#states;
      if (states[at] === a && states[at + 1] === b && states[at + 2] === c && states[at + 3] === d) return slot;
    }
  }

  #grow(): void {
    const states = new Int32Array(this.#states.length * 2);
    states.set(this.#states);
    this.#states = states;
    this.#table = new Int32Array(this.#table.length * 2);
    for (let state = 0; state < this.count; state++) {
      const at = state * 6;
      this.#table[this.#find(states[at], states[at + 1], states[at + 2], states[at + 3])] = state + 1;
    }
  }
}
