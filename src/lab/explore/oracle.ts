import type { Design } from '../../core/locking/axes.js';
import type { Finding } from './finding.js';
import type { Fixture } from './fixture.js';
import type { HistoryNode } from './history.js';
import type { System } from './system.js';

/**
 * Watches an exploration. It keeps nothing between states: a state that is visited once stands for all ways to it. What it
 * judges is a function of the state, or of what one thread did in its step, which is part of the state.
 */
export type MakeOracle = (fixture: Fixture, design: Design) => Oracle;

export interface Oracle {
  readonly name: string;
  /**
   * A thread comes to an action, plain or not, before it is done. Told once for each of its histories: what a thread holds
   * and has done in its step is the same whenever it comes there.
   */
  beforeAction?(system: System, thread: number, node: HistoryNode, report: (finding: Finding) => void): void;
  /** Before a transition of `thread`, which stands before it. */
  beforeTransition?(system: System, thread: number, report: (finding: Finding) => void): void;
  /** After a transition of `thread`. */
  afterTransition?(system: System, thread: number, report: (finding: Finding) => void): void;
  /** A thread ended a step. */
  atStepEnd?(system: System, thread: number, report: (finding: Finding) => void): void;
  /** No thread can go on. */
  atRest?(system: System, report: (finding: Finding) => void): void;
}
