import type { DesignClass } from '../../core/locking/verdicts.js';
import type { Condition } from './condition.js';

/** What is measured of one design under one condition in one round. Durations are in nanoseconds. */
export const FIGURES = {
  accesses: {
    title: 'accesses/s',
    meaning: 'accesses that the vCPUs complete, as fast as they go',
    unit: '1/s',
    better: 'higher',
  },
  readP50: {
    title: 'counter read p50',
    meaning: 'half of the reads of the main counter take less, by themselves',
    unit: 'ns',
    better: 'lower',
  },
  readP99: {
    title: 'counter read p99',
    meaning: 'one read of the main counter in 100 takes longer, by itself',
    unit: 'ns',
    better: 'lower',
  },
  readResponseP99: {
    title: 'counter read response p99',
    meaning:
      'one read of the main counter in 100 ends later after its intended start, behind other accesses of its vCPU',
    unit: 'ns',
    better: 'lower',
  },
  mmioP50: {
    title: 'MMIO p50',
    meaning: 'half of all accesses end sooner after their intended start',
    unit: 'ns',
    better: 'lower',
  },
  mmioP99: {
    title: 'MMIO p99',
    meaning: 'one access in 100 ends later after its intended start',
    unit: 'ns',
    better: 'lower',
  },
  mmioP999: {
    title: 'MMIO p99.9',
    meaning: 'one access in 1000 ends later after its intended start',
    unit: 'ns',
    better: 'lower',
  },
  uncontended: {
    title: 'uncontended access',
    meaning: 'the median access of one vCPU alone, without BQL load',
    unit: 'ns',
    better: 'lower',
  },
  fairness: {
    title: 'fairness',
    meaning: 'accesses of the slowest vCPU, as a share of those of the fastest, as fast as they go',
    unit: '%',
    better: 'higher',
  },
  convoy: {
    title: 'longest convoy',
    meaning: 'the most acquisitions of one lock in a row by one vCPU that each waited, as fast as it goes',
    unit: 'count',
    better: 'lower',
  },
  mainLoopP50: {
    title: 'main-loop work p50',
    meaning: 'from the intended start of a control request to its completion by the main loop, half of them',
    unit: 'ns',
    better: 'lower',
  },
  mainLoopP99: {
    title: 'main-loop work p99',
    meaning: 'from the intended start of a control request to its completion by the main loop, one in 100 is later',
    unit: 'ns',
    better: 'lower',
  },
  latenessP50: {
    title: 'timer lateness p50',
    meaning: 'from the deadline of a timer to its callback, half of them',
    unit: 'ns',
    better: 'lower',
  },
  latenessP99: {
    title: 'timer lateness p99',
    meaning: 'from the deadline of a timer to its callback, one in 100 is later',
    unit: 'ns',
    better: 'lower',
  },
  interruptP50: {
    title: 'deadline to interrupt p50',
    meaning: 'from the deadline to the interrupt event, half of them',
    unit: 'ns',
    better: 'lower',
  },
  interruptP99: {
    title: 'deadline to interrupt p99',
    meaning: 'from the deadline to the interrupt event, one in 100 is later',
    unit: 'ns',
    better: 'lower',
  },
  contended: {
    title: 'acquisitions that waited',
    meaning: 'share of lock acquisitions that waited',
    unit: '%',
    better: 'lower',
  },
  waiting: { title: 'time spent waiting for locks', meaning: "share of the vCPUs' time", unit: '%', better: 'lower' },
  reacquire: {
    title: 'BQL regained after a callback, mean',
    meaning: 'until the main loop holds the BQL again',
    unit: 'ns',
    better: 'lower',
  },
  nested: {
    title: 'mutex held while waiting for the BQL, mean',
    meaning: 'how long a vCPU that holds the mutex waits for the BQL',
    unit: 'ns',
    better: 'lower',
  },
} as const satisfies { [name: string]: { title: string; meaning: string; unit: string; better: 'lower' | 'higher' } };

export type Figure = keyof typeof FIGURES;
export const FIGURE_NAMES = Object.keys(FIGURES) as Figure[];

/** What went wrong in one round: counts, of which none may be there under a safe design. */
export const HAZARDS = ['late', 'inverted', 'deadlocks', 'inversions'] as const;
export const HAZARD_MEANINGS: { readonly [hazard in Hazard]: string } = {
  late: 'deferred line changes applied when their source had changed again',
  inverted: 'line changes applied after a newer one: the line can stay wrong',
  deadlocks: 'deadlocks, each broken by refusing one acquisition',
  inversions: 'lock orders seen in both directions',
};
export type Hazard = (typeof HAZARDS)[number];

export interface Measurement {
  readonly figures: { readonly [figure in Figure]: number };
  readonly hazards: { readonly [hazard in Hazard]: number };
}

/** A median over rounds, and an interval that holds the true median with 95 % confidence, if there are 6 rounds or more. */
export interface Summary {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** One design under one condition, over all rounds. */
export interface Cell {
  readonly locking: string;
  /** `unexplored`: a design from a module, of which this command knows no verdict. */
  readonly class: DesignClass | 'unexplored';
  /** The name of the condition. */
  readonly condition: string;
  readonly rounds: number;
  readonly figures: { readonly [figure in Figure]: Summary };
  /** Sums over the rounds. */
  readonly hazards: { readonly [hazard in Hazard]: number };
}

export interface Comparison {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    readonly platform: string;
  };
  readonly date: string;
  readonly seed: number;
  readonly rounds: number;
  /** Milliseconds of each of the two parts of a measurement. */
  readonly partMs: number;
  /** The base point, then the conditions that differ from it in one factor. */
  readonly conditions: readonly Condition[];
  readonly cells: readonly Cell[];
}
