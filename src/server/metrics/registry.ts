import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Service } from '../service/service.js';
import { ScrapeTimes } from './durations.js';
import type { EventLoopLag } from './event-loop-lag.js';
import { type Format, familyText, linesOf, toOpenMetrics } from './exposition.js';
import { FAMILIES } from './families.js';
import type { Family, MetricSource, Sample } from './family.js';
import { figuresOf, type HistogramsBy } from './figures.js';

/** Gauges of prom-client whose names end in `_total`, as only counters may. Their parts by type have other names. */
const REJECTED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** The most samples of one scrape. `ROOM_FOR_PROCESS` of them are reserved for Node.js and the process as a whole. */
export const MAX_SERIES = 20_000;
const ROOM_FOR_PROCESS = 300;

/** Each sample of the event loop's delay wakes it, so an idle server takes few. */
const EVENT_LOOP_PRECISION_MS = 100;

/** All metrics of one server. */
export class Metrics {
  /** The metrics of Node.js and of the process. */
  readonly #process = new Registry();
  readonly #scrapes = new ScrapeTimes();
  /** Scrapes that have not begun. Callers that request the same format and grouping share one. */
  readonly #next = new Map<string, Promise<string>>();
  #running: Promise<unknown> = Promise.resolve();

  constructor(
    readonly service: Service,
    readonly eventLoop: EventLoopLag,
  ) {
    collectDefaultMetrics({ register: this.#process, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS });
    for (const name of REJECTED) this.#process.removeSingleMetric(name);
  }

  /** The text of a scrape that begins after this call. Scrapes run one at a time. */
  scrape(format: Format = 'prometheus', histograms: HistogramsBy = 'design'): Promise<string> {
    const key = `${format} ${histograms}`;
    const known = this.#next.get(key);
    if (known) return known;
    const scrape = this.#running.then(() => {
      this.#next.delete(key);
      return this.#scrape(format, histograms);
    });
    this.#running = scrape.catch(() => {});
    this.#next.set(key, scrape);
    return scrape;
  }

  /** Returns to the event loop after each family, so that the gateway can serve other work. */
  async #scrape(format: Format, histograms: HistogramsBy): Promise<string> {
    const start = performance.now();
    let [busy, longest] = [0, 0];
    const piece = async <T>(work: () => T | Promise<T>): Promise<T> => {
      const begun = performance.now();
      const result = await work();
      const duration = performance.now() - begun;
      busy += duration;
      longest = Math.max(longest, duration);
      await new Promise(setImmediate);
      return result;
    };
    const parts: string[] = [];
    for (const { name } of this.#process.getMetricsAsArray()) {
      const text = await piece(() => this.#process.getSingleMetricAsString(name));
      parts.push(format === 'openmetrics' ? toOpenMetrics(text) : text);
    }
    const { service, eventLoop } = this;
    const figures = await piece(() => figuresOf(service, histograms));
    const source: MetricSource = { service, eventLoop, scrapes: this.#scrapes, figures };
    const room = { left: MAX_SERIES - ROOM_FOR_PROCESS, omitted: 0 };
    for (const family of FAMILIES) {
      parts.push(
        await piece(() => {
          const samples = within(family, source, room);
          this.#scrapes.omitted = room.omitted;
          return familyText(family, samples, format);
        }),
      );
    }
    this.#scrapes.durations.observe((performance.now() - start) * 1e6);
    this.#scrapes.longestPiece = longest * 1e6;
    this.#scrapes.busy = busy * 1e6;
    return format === 'openmetrics' ? `${parts.join('\n')}\n# EOF\n` : `${parts.join('\n\n')}\n`;
  }
}

/** The samples of a family. Samples of machines and designs are left out once there is no room for them. */
function within(family: Family, source: MetricSource, room: { left: number; omitted: number }): Sample[] {
  const isLimited = family.labels.includes('machine') || family.labels.includes('locking');
  const samples: Sample[] = [];
  for (const sample of family.samples(source)) {
    const lines = linesOf(sample);
    if (isLimited && lines > room.left) {
      room.omitted += lines;
      continue;
    }
    if (isLimited) room.left -= lines;
    samples.push(sample);
  }
  return samples;
}
