import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { BUCKET_BOUNDS } from '../../runtime/statistics/statistics-layout.js';
import type { Service } from '../service/service.js';
import type { EventLoopLag } from './event-loop-lag.js';
import { FAMILIES } from './families.js';
import type { Family, Labels, MetricSource, Sample } from './family.js';
import { ScrapeTimes } from './scrape-times.js';

/** Gauges with names that only counters may have; their parts by type are there under other names. */
const REJECTED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** Most samples of one scrape; some room is left for those of Node.js and of the process as a whole. */
export const MAX_SERIES = 20_000;
const ROOM_FOR_PROCESS = 300;

/** Each sample wakes the event loop; those of an idle server would add up. */
const EVENT_LOOP_PRECISION_MS = 100;

const BUCKET_LABELS = [...BUCKET_BOUNDS.map((bound) => bound / 1e9), '+Inf'].map((le) => ({ le }));
const NO_LABELS = {};

interface Value {
  readonly metricName?: string;
  readonly labels: { readonly [name: string]: string | number };
  /** Labels before those; prom-client makes their text once per object. */
  readonly sharedLabels?: Labels;
  readonly value: number;
}

/** All metrics of one server. */
export class Metrics {
  readonly #register = new Registry();
  readonly #scrapes = new ScrapeTimes();
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<string> | undefined;
  #series = 0;
  #omitted = 0;

  constructor(service: Service, eventLoop: EventLoopLag) {
    collectDefaultMetrics({ register: this.#register, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS });
    for (const name of REJECTED) this.#register.removeSingleMetric(name);
    const source: MetricSource = { service, eventLoop, scrapes: this.#scrapes };
    for (const family of FAMILIES) this.#registerFamily(family, source);
  }

  get contentType(): string {
    return this.#register.contentType;
  }

  /** The text of a scrape that begins after this call. There is one at a time. */
  scrape(): Promise<string> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const scrape = this.#scrape();
      this.#running = scrape.catch(() => {});
      return scrape;
    });
    return this.#next;
  }

  /** Between any two families the gateway can do other things. */
  async #scrape(): Promise<string> {
    const start = performance.now();
    const parts: string[] = [];
    let longestPiece = 0;
    this.#series = 0;
    this.#omitted = 0;
    for (const { name } of this.#register.getMetricsAsArray()) {
      const begun = performance.now();
      parts.push(await this.#register.getSingleMetricAsString(name));
      longestPiece = Math.max(longestPiece, performance.now() - begun);
      await new Promise(setImmediate);
    }
    this.#scrapes.durations.observe((performance.now() - start) * 1e6);
    this.#scrapes.longestPiece = longestPiece * 1e6;
    return `${parts.join('\n\n')}\n`;
  }

  #registerFamily(family: Family, source: MetricSource): void {
    const { name, help, type } = family;
    const metric = {
      name,
      help,
      type,
      aggregator: 'sum',
      get: async () => ({ name, help, type, aggregator: 'sum', values: this.#values(family, source) }),
    };
    this.#register.registerMetric(metric as unknown as Metric);
  }

  #values(family: Family, source: MetricSource): Value[] {
    const values: Value[] = [];
    for (const sample of family.samples(source)) {
      const count = 'value' in sample ? 1 : BUCKET_LABELS.length + 2;
      const isLimited = family.labels.includes('machine');
      if (isLimited && this.#series + count > MAX_SERIES - ROOM_FOR_PROCESS) {
        this.#omitted += count;
        continue;
      }
      if (isLimited) this.#series += count;
      addValues(values, family.name, sample);
    }
    this.#scrapes.omitted = this.#omitted;
    return values;
  }
}

function addValues(values: Value[], name: string, sample: Sample): void {
  const { labels } = sample;
  if ('value' in sample) {
    values.push({ labels, value: sample.value });
    return;
  }
  const { buckets, sum } = sample.durations;
  let count = 0;
  const bucketName = `${name}_bucket`;
  for (const [index, le] of BUCKET_LABELS.entries()) {
    count += buckets[index];
    values.push({ metricName: bucketName, labels: le, sharedLabels: labels, value: count });
  }
  values.push({ metricName: `${name}_sum`, labels: NO_LABELS, sharedLabels: labels, value: sum / 1e9 });
  values.push({ metricName: `${name}_count`, labels: NO_LABELS, sharedLabels: labels, value: count });
}
