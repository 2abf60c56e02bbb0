import type { DesignClass } from '../../core/locking/presets.js';

/** What is measured of one design under one BQL load in one round. Durations are in nanoseconds. */
export const FIGURES = {
  accesses: { title: 'accesses/s', unit: '1/s', better: 'higher' },
  readP50: { title: 'counter read p50', unit: 'ns', better: 'lower' },
  readP99: { title: 'counter read p99', unit: 'ns', better: 'lower' },
  mmioP50: { title: 'MMIO p50', unit: 'ns', better: 'lower' },
  mmioP99: { title: 'MMIO p99', unit: 'ns', better: 'lower' },
  mmioP999: { title: 'MMIO p99.9', unit: 'ns', better: 'lower' },
  latenessP50: { title: 'timer lateness p50', unit: 'ns', better: 'lower' },
  latenessP99: { title: 'timer lateness p99', unit: 'ns', better: 'lower' },
  interruptP50: { title: 'deadline to interrupt p50', unit: 'ns', better: 'lower' },
  interruptP99: { title: 'deadline to interrupt p99', unit: 'ns', better: 'lower' },
  contended: { title: 'acquisitions that waited', unit: '%', better: 'lower' },
  waiting: { title: 'time spent waiting for locks', unit: '%', better: 'lower' },
  reacquire: { title: 'BQL regained after a callback, mean', unit: 'ns', better: 'lower' },
  nested: { title: 'mutex held while waiting for the BQL, mean', unit: 'ns', better: 'lower' },
} as const satisfies { [name: string]: { title: string; unit: string; better: 'lower' | 'higher' } };

export type Figure = keyof typeof FIGURES;
export const FIGURE_NAMES = Object.keys(FIGURES) as Figure[];

/** What went wrong in one round: counts, of which none may be there under a safe design. */
export const HAZARDS = ['late', 'inverted', 'deadlocks', 'inversions'] as const;
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

/** One design under one BQL load, over all rounds. */
export interface Cell {
  readonly locking: string;
  /** `unexplored`: a design from a module, of which this command knows no verdict. */
  readonly class: DesignClass | 'unexplored';
  /** Share of the time for which the main loop holds the BQL for other work. */
  readonly load: number;
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
  readonly vcpus: number;
  readonly rounds: number;
  /** Milliseconds of each of the two parts of a measurement. */
  readonly partMs: number;
  readonly loads: readonly number[];
  readonly cells: readonly Cell[];
}
