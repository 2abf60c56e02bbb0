import type { Durations, LockRow } from '../../runtime/statistics/statistics-reader.js';
import type { KeeperFigures } from '../service/keeper.js';
import type { Service } from '../service/service.js';
import type { ByKind } from '../streams/flow.js';
import type { EventLoopLag } from './event-loop-lag.js';
import type { ScrapeTimes } from './scrape-times.js';

/** What metrics are computed from when they are asked for. */
export interface MetricSource {
  readonly service: Service;
  readonly eventLoop: EventLoopLag;
  readonly scrapes: ScrapeTimes;
}

export interface Labels {
  readonly [name: string]: string;
}

/** One value, or a histogram, under its labels. */
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

const MACHINE = ['machine', 'locking'] as const;
const LOCK = [...MACHINE, 'lock', 'site'] as const;

/** Statistics slots that were ever in use, with their labels. */
export function* slotsOf({ service }: MetricSource): Iterable<{ slot: number; labels: Labels }> {
  for (const [slot, { machine, locking }] of service.statisticsSlots.used) {
    yield { slot, labels: { machine, locking } };
  }
}

/** Locks at call sites at which they were ever taken or wanted. */
export function* locksOf(source: MetricSource): Iterable<{ row: LockRow; labels: Labels }> {
  for (const { slot, labels } of slotsOf(source)) {
    for (const row of source.service.engine.statistics.locks(slot)) {
      yield { row, labels: { ...labels, lock: row.lock, site: row.site } };
    }
  }
}

/** A count per machine, lock and call site. */
export function lockCounter(description: Description, count: (row: LockRow) => number): Family {
  return {
    ...description,
    type: 'counter',
    labels: LOCK,
    *samples(source) {
      for (const { row, labels } of locksOf(source)) yield { labels, value: count(row) };
    },
  };
}

/** Durations per machine, lock and call site; none where nothing was timed. */
export function lockHistogram(description: Description, durations: (row: LockRow) => Durations): Family {
  return {
    ...description,
    type: 'histogram',
    labels: LOCK,
    *samples(source) {
      for (const { row, labels } of locksOf(source)) {
        const timed = durations(row);
        if (timed.count > 0) yield { labels, durations: timed };
      }
    },
  };
}

/** Counts per machine at these addresses of `statistics-layout.ts`, told apart by `label` if there are several. */
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
    *samples(source) {
      const { statistics } = source.service.engine;
      for (const { slot, labels } of slotsOf(source)) {
        for (const [extra, counter] of several) {
          yield { labels: { ...labels, ...extra }, value: statistics.sum(slot, counter) };
        }
      }
    },
  };
}

/** Durations per machine, of the histogram at this address of `statistics-layout.ts`. */
export function machineHistogram(description: Description, histogram: number): Family {
  return {
    ...description,
    type: 'histogram',
    labels: MACHINE,
    *samples(source) {
      const { statistics } = source.service.engine;
      for (const { slot, labels } of slotsOf(source)) {
        yield { labels, durations: statistics.durations(slot, histogram) };
      }
    },
  };
}

/** A value for each kind of connection. */
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

/** A value of what is kept in `stateDir`; none without it. */
export function kept(
  description: Description & Pick<Family, 'type'>,
  value: (figures: KeeperFigures) => number,
): Family {
  return {
    ...description,
    labels: [],
    *samples({ service: { keeper } }) {
      if (keeper) yield { labels: {}, value: value(keeper.figures) };
    },
  };
}
