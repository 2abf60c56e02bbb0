/** The transitions of a complete exploration, by the states that they join. */
export class StateGraph {
  #edges = new Int32Array(1 << 12);
  #count = 0;
  /** States without a transition. */
  readonly rests: number[] = [];

  add(from: number, to: number): void {
    if (this.#count * 2 === this.#edges.length) {
      const edges = new Int32Array(this.#edges.length * 2);
      edges.set(this.#edges);
      this.#edges = edges;
    }
    this.#edges[2 * this.#count] = from;
    this.#edges[2 * this.#count + 1] = to;
    this.#count++;
  }

  /** The first state from which no rest can be reached: the threads take steps forever from there. */
  firstWithoutRest(states: number): number | undefined {
    const { starts, sources } = this.#incoming(states);
    const reaches = new Uint8Array(states);
    const queue = [...this.rests];
    for (const state of queue) reaches[state] = 1;
    for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
      for (let at = starts[state]; at < starts[state + 1]; at++) {
        if (reaches[sources[at]]) continue;
        reaches[sources[at]] = 1;
        queue.push(sources[at]);
      }
    }
    const first = reaches.indexOf(0);
    return first < 0 ? undefined : first;
  }

  /** The sources of the transitions into each state: those of state n lie from `starts[n]` to `starts[n + 1]`. */
  #incoming(states: number) {
    const starts = new Int32Array(states + 2);
    const edges = this.#edges;
    for (let at = 0; at < this.#count; at++) starts[edges[2 * at + 1] + 2]++;
    for (let state = 2; state < starts.length; state++) starts[state] += starts[state - 1];
    const sources = new Int32Array(this.#count);
    // Filling moves each start of the next state to its end, which is where it belongs.
    for (let at = 0; at < this.#count; at++) sources[starts[edges[2 * at + 1] + 1]++] = edges[2 * at];
    return { starts, sources };
  }
}
