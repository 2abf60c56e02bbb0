import type { System } from './system.js';

/** Saved states whose transitions are still to be explored, in order of discovery. */
export class Frontier {
  #words = new Int32Array(1 << 16);
  #end = 0;
  count = 0;

  /** Puts a state and what belongs to it at the end. */
  push(system: System, state: number, last: number, preemptions: number): void {
    const needed = this.#end + 3 + system.savedWords;
    if (needed > this.#words.length) {
      const words = new Int32Array(Math.max(needed, this.#words.length * 2));
      words.set(this.#words);
      this.#words = words;
    }
    this.#words[this.#end] = state;
    this.#words[this.#end + 1] = last;
    this.#words[this.#end + 2] = preemptions;
    system.save(this.#words, this.#end + 3);
    this.#end = needed;
    this.count++;
  }

  clear(): void {
    this.#end = 0;
    this.count = 0;
  }

  /** Visits all states; `visit` may load a state again and again by `load`. */
  forEach(system: System, visit: (state: number, last: number, preemptions: number, load: () => void) => void): void {
    let at = 0;
    const words = this.#words;
    const load = () => {
      next = system.load(words, at + 3);
    };
    let next = 0;
    while (at < this.#end) {
      load();
      visit(words[at], words[at + 1], words[at + 2], load);
      at = next;
    }
  }
}
