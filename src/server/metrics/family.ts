import type { WaitInProgress } from '../../runtime/statistics/lock-view.js';
import type { Durations, LockRow } from '../../runtime/statistics/slot-totals.js';
import type { ByKind } from '../flow/flow.js';
import type { CheckpointFigures } from '../service/checkpoint-store.js';
import type { Service } from '../service/service.js';
import type { ScrapeTimes } from './durations.js';
import type { EventLoopLag } from './event-loop-lag.js';
import type { Figures, Labels } from './figures.js';

/** The figures that a scrape computes its metrics from. */
export interface MetricSource {
  readonly service: Service;
  readonly eventLoop: EventLoopLag;
  readonly scrapes: ScrapeTimes;
  /** The counts of all threads at the start of this scrape. */
  readonly figures: Figures;
}

/** One value or one histogram, with its labels. */
export type Sample =
  | { readonly labels: Labels; readonly value: number }
  | { readonly labels: Labels; readonly durations: Durations };

/** All samples of one name. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  samples(source: MetricSource): Iterable<Sample>;
}

type Description = Pick<Family, 'name' | 'help'>;

export const MACHINE = ['machine', 'locking'] as const;
/** The labels of histograms; a scrape with `?histograms=machine` adds `machine`. */
export const DESIGN = ['locking'] as const;
const LOCK = ['lock', 'site'] as const;

/** A count per machine, lock and call site. `onlyCounted` leaves out counts of 0. */
export function lockCounter(
  description: Description,
  count: (row: LockRow) => number,
  { onlyCounted = false } = {},
): Family {
  return {
    ...description,
    type: 'counter',
    labels: [...MACHINE, ...LOCK],
    *samples({ figures }) {
      for (const { labels, locks } of figures.machines) {
        for (const row of locks) {
          const value = count(row);
          if (value > 0 || !onlyCounted) yield { labels: { ...labels, lock: row.lock, site: row.site }, value };
        }
      }
    },
  };
}

/** Durations per design, lock and call site; a site without a timed wait or hold has no samples. */
export function lockHistogram(description: Description, durations: (row: LockRow) => Durations): Family {
  return {
    ...description,
    type: 'histogram',
    labels: [...DESIGN, ...LOCK],
    *samples({ figures }) {
      for (const { labels, locks } of figures.distributions) {
        for (const row of locks) {
          const timed = durations(row);
          if (timed.count > 0) yield { labels: { ...labels, lock: row.lock, site: row.site }, durations: timed };
        }
      }
    },
  };
}

/** A value of the waits in progress per machine, lock and call site; sites at which no thread ever waited have none. */
export function waitingGauge(description: Description, value: (waits: readonly WaitInProgress[]) => number): Family {
  return {
    ...description,
    type: 'gauge',
    labels: [...MACHINE, ...LOCK],
    *samples({ figures }) {
      for (const { labels, locks, waits } of figures.machines) {
        for (const { lock, site, contended } of locks) {
          if (contended === 0) continue;
          const here = waits.filter((wait) => wait.lock === lock && wait.site === site);
          yield { labels: { ...labels, lock, site }, value: value(here) };
        }
      }
    },
  };
}

/** Counts per machine at these addresses of `statistics-layout.ts`; `label` distinguishes several. */
export function machineCounter(
  description: Description,
  counters: number | { readonly [value: string]: number },
  label = '',
): Family {
  const several: [Labels, number][] =
    typeof counters === 'number'
      ? [[{}, counters]]
      : Object.entries(counters).map(([value, counter]) => [{ [label]: value }, counter]);
  return {
    ...description,
    type: 'counter',
    labels: typeof counters === 'number' ? MACHINE : [...MACHINE, label],
    *samples({ figures }) {
      for (const { labels, totals } of figures.machines) {
        for (const [extra, counter] of several) yield { labels: { ...labels, ...extra }, value: totals.count(counter) };
      }
    },
  };
}

/** Durations per design, from the histogram at this address of `statistics-layout.ts`. */
export function machineHistogram(description: Description, histogram: number): Family {
  return {
    ...description,
    type: 'histogram',
    labels: DESIGN,
    *samples({ figures }) {
      for (const { labels, totals } of figures.distributions) yield { labels, durations: totals.durations(histogram) };
    },
  };
}

/** One value per kind of connection. */
export function kinds(
  description: Description & Pick<Family, 'type'>,
  values: (service: Service) => ByKind<number>,
): Family {
  return {
    ...description,
    labels: ['kind'],
    *samples({ service }) {
      for (const [kind, value] of Object.entries(values(service))) yield { labels: { kind }, value };
    },
  };
}

/** A value of the whole process. */
export function single(
  description: Description & Pick<Family, 'type'>,
  value: (source: MetricSource) => number | Durations,
): Family {
  return {
    ...description,
    labels: [],
    *samples(source) {
      const now = value(source);
      yield typeof now === 'number' ? { labels: {}, value: now } : { labels: {}, durations: now };
    },
  };
}

/** A value of the checkpoints in `stateDir`; no sample if `stateDir` is not set. */
export function kept(
  description: Description & Pick<Family, 'type'>,
  value: (figures: CheckpointFigures) => number,
): Family {
  return {
    ...description,
    labels: [],
    *samples({ service: { store } }) {
      if (store) yield { labels: {}, value: value(store.figures) };
    },
  };
}
