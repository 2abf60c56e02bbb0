import type { Finding } from './finding.js';
import type { System } from './system.js';

/** Watches an exploration. It keeps nothing between states: a state that is visited once stands for all ways to it. */
export interface Oracle {
  readonly name: string;
  /** After a transition of `thread`. */
  afterTransition?(system: System, thread: number, report: (finding: Finding) => void): void;
  /** A thread ended a step. */
  atStepEnd?(system: System, thread: number, report: (finding: Finding) => void): void;
  /** No thread can go on. */
  atRest?(system: System, report: (finding: Finding) => void): void;
}
