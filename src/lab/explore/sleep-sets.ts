import { CLOCK, Footprint } from './footprint.js';
import type * as H from './history.js';
import { type System, TICK, TIMEOUT } from './system.js';

const TICKS = new Footprint();
TICKS.writes.add(CLOCK);

/**
 * Sleep sets, a partial-order reduction: a transition sleeps in a state if another order of independent transitions,
 * which is explored, leads where it leads. Every state is still visited, so oracles that judge states miss nothing, and
 * no cycle can postpone a transition forever. Only transitions are saved.
 *
 * The sleep set of a state is the intersection of those with which it was reached. If that shrinks after the state was
 * expanded, the state is expanded again as a whole. So each arrival is followed by an expansion that passes on at most
 * the sleep sets of a search without a store of states, and the proof for such a search holds in any order of search.
 */
export class SleepSets {
  #sets = new Int32Array(1 << 12);
  #expanded = new Uint8Array(1 << 12);
  /** Footprints of all transitions from a node so far: one that sleeps was executed from this node before. */
  readonly #enabled = new WeakMap<H.HistoryNode, Footprint>();
  readonly #timeouts = new WeakMap<H.HistoryNode, Footprint>();

  /** The footprint of a transition in the present state, to which the system adds while it makes the transition. */
  footprintOf({ nodes }: System, transition: number): Footprint {
    if (transition === TICK) return TICKS;
    const all = transition & TIMEOUT ? this.#timeouts : this.#enabled;
    const node = nodes[transition & ~TIMEOUT];
    const footprint = all.get(node) ?? new Footprint();
    all.set(node, footprint);
    return footprint;
  }

  of(state: number): number {
    return state < this.#sets.length ? this.#sets[state] : 0;
  }

  /** A state is reached for the first time. */
  begin(state: number, sleep: number): void {
    if (state >= this.#sets.length) this.#grow();
    this.#sets[state] = sleep;
  }

  expanding(state: number): void {
    this.#expanded[state] = 1;
  }

  /** A known state is reached again; returns whether it must be expanded again. */
  again(state: number, sleep: number): boolean {
    const before = this.#sets[state];
    this.#sets[state] = before & sleep;
    if (this.#sets[state] === before || !this.#expanded[state]) return false;
    this.#expanded[state] = 0;
    return true;
  }

  #grow(): void {
    const sets = new Int32Array(this.#sets.length * 2);
    sets.set(this.#sets);
    this.#sets = sets;
    const expanded = new Uint8Array(sets.length);
    expanded.set(this.#expanded);
    this.#expanded = expanded;
  }
}

/** The bit of a transition in a sleep set. */
export function bitOf(transition: number): number {
  if (transition === TICK) return 1 << 30;
  return 1 << ((transition & ~TIMEOUT) + (transition & TIMEOUT ? 15 : 0));
}
