import type { Design } from '../../core/locking/axes.js';
import type { Finding } from './finding.js';
import type { Fixture } from './fixture.js';
import type { HistoryNode } from './history.js';
import type { System } from './system.js';

/**
 * Checks an exploration. It keeps nothing between states, because a state is visited once for all paths to it. Its
 * input is the state, which includes each thread's actions in its current step.
 */
export interface Oracle {
  readonly name: string;
  /**
   * A thread reaches an action, plain or not, before performing it. Called once for each of the thread's histories: its
   * locks and its actions in the step are the same each time.
   */
  beforeAction?(system: System, thread: number, node: HistoryNode, report: (finding: Finding) => void): void;
  /** Before a transition of `thread`. */
  beforeTransition?(system: System, thread: number, report: (finding: Finding) => void): void;
  /** After a transition of `thread`. */
  afterTransition?(system: System, thread: number, report: (finding: Finding) => void): void;
  /** A thread ended a step. */
  atStepEnd?(system: System, thread: number, report: (finding: Finding) => void): void;
  /** No thread has an enabled transition. */
  atRest?(system: System, report: (finding: Finding) => void): void;
}

export type MakeOracle = (fixture: Fixture, design: Design) => Oracle;
