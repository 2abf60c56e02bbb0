import { createHistogram } from 'node:perf_hooks';
import { WebSocket } from 'ws';
import { type Irq, Southbridge } from '../../client/index.js';
import { Bench } from './bench.js';
import { Course } from './course.js';
import type { Balance } from './ledger.js';
import { type LoadedMachine, LoadMachines } from './machines.js';
import type { LoadOptions } from './options.js';
import { type LoadReport, percentilesOf } from './report.js';
import type { Station } from './station.js';

/** Operations of one vCPU that may be under way, where they overlap. */
const MOST_OVERLAPPING = 4096;
const HISTOGRAM = { lowest: 1, highest: 600e9, figures: 3 } as const;

/** Small frames gain nothing from compression. */
class PlainSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { perMessageDeflate: false });
  }
}

/** How far a load is. */
export interface Progress {
  /** Of the run, in ms. */
  readonly elapsed: number;
  readonly operations: number;
  readonly received: number;
  readonly lost: number;
  readonly doubled: number;
}

/** One load on a server: `open`, `run`, and `close` in any case. */
export class Load {
  readonly #server: Southbridge;
  readonly #machines: LoadMachines;
  readonly #latency = createHistogram(HISTOGRAM);
  readonly #behind = createHistogram(HISTOGRAM);
  readonly #lateness = createHistogram(HISTOGRAM);
  #loaded: readonly LoadedMachine[] = [];
  #benches: readonly Bench[] = [];
  #course: Course | undefined;
  #isStopped = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(readonly options: LoadOptions) {
    const { url, token } = options;
    this.#server = new Southbridge(url, { ...(token !== undefined && { token }), WebSocket: PlainSocket as never });
    this.#machines = new LoadMachines(this.#server);
  }

  /** Makes the machines, connects and programs them. Rejects with LoadError, or what the client rejects with. */
  async open(): Promise<void> {
    const { workload, seed, patienceMs } = this.options;
    this.#loaded = await this.#machines.open(this.options);
    const onIrq = ({ event, lateness }: Irq) => {
      if (event.kind === 'line' && event.level === 1 && lateness !== undefined) record(this.#lateness, lateness);
    };
    this.#benches = this.#loaded.map(
      ({ name, pins }, index) => new Bench(this.#server, name, workload, patienceMs, onIrq, pins, seed + 1000 * index),
    );
    for (const bench of this.#benches) await bench.open();
  }

  /** Goes on until its time is over, or `stop` is called; then waits for what is under way, and reports. */
  async run(): Promise<LoadReport> {
    const course = new Course(this.options.durationMs);
    this.#course = course;
    if (this.#isStopped) course.end();
    for (const bench of this.#benches) bench.course = course;
    await Promise.all(this.#stations().map(([station, bench], index) => this.#drive(station, bench, course, index)));
    course.end();
    if (this.#failure) throw this.#failure.error;
    await Promise.all(this.#benches.map((bench) => bench.settle()));
    return this.#report(course, await this.#machines.deadlocksIn(this.#loaded));
  }

  /** Ends the run before its time. */
  stop(): void {
    this.#isStopped = true;
    this.#course?.end();
  }

  get progress(): Progress {
    const ledgers = this.#benches.map(({ ledger }) => ledger.current);
    const sum = (key: 'received' | 'lost' | 'doubled') => ledgers.reduce((total, ledger) => total + ledger[key], 0);
    return {
      elapsed: this.#course?.elapsed ?? 0,
      operations: this.#sum(({ operations }) => operations),
      received: sum('received'),
      lost: sum('lost'),
      doubled: sum('doubled'),
    };
  }

  async close(): Promise<void> {
    this.stop();
    for (const bench of this.#benches) bench.close();
    await this.#machines.close();
  }

  #stations(): (readonly [Station, Bench])[] {
    return this.#benches.flatMap((bench) => bench.stations.map((station) => [station, bench] as const));
  }

  /** The operations of one vCPU. The first that fails ends the run. */
  async #drive(station: Station, bench: Bench, course: Course, index: number): Promise<void> {
    const { rate, vcpus, workload } = this.options;
    const interval = rate === undefined ? 0 : (1000 * vcpus) / rate;
    const underWay = new Set<Promise<void>>();
    // vCPUs begin one after the other, spread over the interval.
    let intended = course.begin + (interval * index) / vcpus;
    const isPaced = rate !== undefined || workload.due !== undefined;
    while (!course.isOver) {
      if (workload.due) intended = workload.due(station, bench);
      if (isPaced) await course.until(intended);
      if (course.isOver) break;
      const now = performance.now();
      if (isPaced) record(this.#behind, (now - intended) * 1e6);
      else intended = now;
      const done = this.#operate(station, bench, intended);
      if (workload.overlaps && rate !== undefined) {
        underWay.add(done);
        done.finally(() => underWay.delete(done));
        if (underWay.size >= MOST_OVERLAPPING) await Promise.race(underWay);
      } else await done;
      intended += interval;
    }
    await Promise.all(underWay);
  }

  async #operate(station: Station, bench: Bench, intended: number): Promise<void> {
    try {
      const waited = (await this.options.workload.operate(station, bench)) ?? 0;
      record(this.#latency, (performance.now() - intended - waited) * 1e6);
      station.operations++;
    } catch (error) {
      this.#failure ??= { error };
      this.stop();
    }
  }

  #sum(count: (station: Station) => number): number {
    return this.#stations().reduce((total, [station]) => total + count(station), 0);
  }

  #report(course: Course, deadlocks: number): LoadReport {
    const { workload, url, vcpus, seed, rate } = this.options;
    const seconds = course.elapsed / 1000;
    const operations = this.#sum((station) => station.operations);
    const accesses = this.#sum((station) => station.accesses);
    const interrupts = total(this.#benches.map(({ ledger }) => ledger.balance()));
    const faults = this.#benches.reduce((sum, { faultCount }) => sum + faultCount, 0);
    return {
      workload: workload.name,
      url,
      machines: this.#benches.length,
      vcpus,
      locking: [...new Set(this.#loaded.map(({ locking }) => locking))].join(', '),
      class: this.#loaded[0]?.class ?? null,
      deadlocks,
      seed,
      seconds: Math.round(seconds * 1000) / 1000,
      rate: rate ?? null,
      operations,
      operationsPerSecond: Math.round(operations / seconds),
      accesses,
      accessesPerSecond: Math.round(accesses / seconds),
      latency: percentilesOf(this.#latency),
      behind: percentilesOf(this.#behind),
      lateness: percentilesOf(this.#lateness),
      interrupts,
      faults,
      faultExamples: this.#benches.flatMap((bench) => bench.faults),
      ok: interrupts.lost === 0 && interrupts.doubled === 0 && faults === 0,
    };
  }
}

/** Nanoseconds; a histogram takes whole numbers from 1. */
function record(histogram: ReturnType<typeof createHistogram>, ns: number): void {
  histogram.record(Math.min(HISTOGRAM.highest, Math.max(1, Math.round(ns))));
}

function total(balances: readonly Balance[]): Balance {
  const sum = (key: 'told' | 'received' | 'lost' | 'doubled' | 'skipped') =>
    balances.reduce((all, balance) => all + balance[key], 0);
  return {
    told: sum('told'),
    received: sum('received'),
    lost: sum('lost'),
    doubled: sum('doubled'),
    skipped: sum('skipped'),
    examples: balances.flatMap(({ examples }) => examples),
  };
}
