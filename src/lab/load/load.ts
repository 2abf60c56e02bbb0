import { createHistogram } from 'node:perf_hooks';
import { WebSocket } from 'ws';
import { type Irq, Southbridge } from '../../client/index.js';
import type { Balance } from './ledger.js';
import { LoadedMachine } from './loaded-machine.js';
import type { LoadOptions } from './options.js';
import { type LoadReport, percentilesOf } from './report.js';
import { RunClock } from './run-clock.js';
import { type LoadTarget, LoadTargets } from './targets.js';
import type { VcpuDriver } from './vcpu-driver.js';

/** Most operations of one vCPU in flight, where they overlap. */
const MOST_OVERLAPPING = 4096;
const HISTOGRAM = { lowest: 1, highest: 600e9, figures: 3 } as const;

/** Small frames gain nothing from compression. */
class PlainSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { perMessageDeflate: false });
  }
}

/** The progress of a load. */
export interface Progress {
  /** Time since the run began, in ms. */
  readonly elapsed: number;
  readonly operations: number;
  readonly received: number;
  readonly lost: number;
  readonly doubled: number;
}

/** One load on a server: call `open`, then `run`, and always `close`. */
export class Load {
  readonly #server: Southbridge;
  readonly #targets: LoadTargets;
  readonly #latency = createHistogram(HISTOGRAM);
  readonly #behind = createHistogram(HISTOGRAM);
  readonly #lateness = createHistogram(HISTOGRAM);
  #loaded: readonly LoadTarget[] = [];
  #machines: readonly LoadedMachine[] = [];
  #clock: RunClock | undefined;
  #isStopped = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(readonly options: LoadOptions) {
    const { url, token } = options;
    this.#server = new Southbridge(url, { ...(token !== undefined && { token }), WebSocket: PlainSocket as never });
    this.#targets = new LoadTargets(this.#server);
  }

  /** Creates the machines, connects to them and programs them. Rejects with LoadError, or with an error of the client. */
  async open(): Promise<void> {
    const { workload, seed, patienceMs } = this.options;
    this.#loaded = await this.#targets.open(this.options);
    const onIrq = ({ event, lateness }: Irq) => {
      if (event.kind === 'line' && event.level === 1 && lateness !== undefined) record(this.#lateness, lateness);
    };
    this.#machines = this.#loaded.map(
      ({ name, pins }, index) =>
        new LoadedMachine(this.#server, name, workload, patienceMs, onIrq, pins, seed + 1000 * index),
    );
    for (const machine of this.#machines) await machine.open();
  }

  /** Runs until its time is over or `stop` is called, then waits for the operations in flight, and reports. */
  async run(): Promise<LoadReport> {
    const clock = new RunClock(this.options.durationMs);
    this.#clock = clock;
    if (this.#isStopped) clock.end();
    for (const machine of this.#machines) machine.clock = clock;
    await Promise.all(this.#drivers().map(([driver, machine], index) => this.#drive(driver, machine, clock, index)));
    clock.end();
    if (this.#failure) throw this.#failure.error;
    await Promise.all(this.#machines.map((machine) => machine.settle()));
    return this.#report(clock, await this.#targets.deadlocksIn(this.#loaded));
  }

  /** Ends the run early. */
  stop(): void {
    this.#isStopped = true;
    this.#clock?.end();
  }

  get progress(): Progress {
    const ledgers = this.#machines.map(({ ledger }) => ledger.current);
    const sum = (key: 'received' | 'lost' | 'doubled') => ledgers.reduce((total, ledger) => total + ledger[key], 0);
    return {
      elapsed: this.#clock?.elapsed ?? 0,
      operations: this.#sum(({ operations }) => operations),
      received: sum('received'),
      lost: sum('lost'),
      doubled: sum('doubled'),
    };
  }

  async close(): Promise<void> {
    this.stop();
    for (const machine of this.#machines) machine.close();
    await this.#targets.close();
  }

  #drivers(): (readonly [VcpuDriver, LoadedMachine])[] {
    return this.#machines.flatMap((machine) => machine.drivers.map((driver) => [driver, machine] as const));
  }

  /** Performs the operations of one vCPU. The first failure ends the run. */
  async #drive(driver: VcpuDriver, machine: LoadedMachine, clock: RunClock, index: number): Promise<void> {
    const { rate, vcpus, workload } = this.options;
    const interval = rate === undefined ? 0 : (1000 * vcpus) / rate;
    const inFlight = new Set<Promise<void>>();
    // The first operations of the vCPUs are spread over the interval.
    let intended = clock.begin + (interval * index) / vcpus;
    const isTimed = rate !== undefined || workload.due !== undefined;
    while (!clock.isOver) {
      if (workload.due) intended = workload.due(driver, machine);
      if (isTimed) await clock.until(intended);
      if (clock.isOver) break;
      const now = performance.now();
      if (isTimed) record(this.#behind, (now - intended) * 1e6);
      else intended = now;
      const done = this.#operate(driver, machine, intended);
      if (workload.overlaps && rate !== undefined) {
        inFlight.add(done);
        done.finally(() => inFlight.delete(done));
        if (inFlight.size >= MOST_OVERLAPPING) await Promise.race(inFlight);
      } else await done;
      intended += interval;
    }
    await Promise.all(inFlight);
  }

  async #operate(driver: VcpuDriver, machine: LoadedMachine, intended: number): Promise<void> {
    try {
      const waited = (await this.options.workload.operate(driver, machine)) ?? 0;
      record(this.#latency, (performance.now() - intended - waited) * 1e6);
      driver.operations++;
    } catch (error) {
      this.#failure ??= { error };
      this.stop();
    }
  }

  #sum(count: (driver: VcpuDriver) => number): number {
    return this.#drivers().reduce((total, [driver]) => total + count(driver), 0);
  }

  #report(clock: RunClock, deadlocks: number): LoadReport {
    const { workload, url, vcpus, seed, rate } = this.options;
    const seconds = clock.elapsed / 1000;
    const operations = this.#sum((driver) => driver.operations);
    const accesses = this.#sum((driver) => driver.accesses);
    const interrupts = total(this.#machines.map(({ ledger }) => ledger.balance()));
    const faults = this.#machines.reduce((sum, { faultCount }) => sum + faultCount, 0);
    return {
      workload: workload.name,
      url,
      machines: this.#machines.length,
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
      faultExamples: this.#machines.flatMap((machine) => machine.faults),
      ok: interrupts.lost === 0 && interrupts.doubled === 0 && faults === 0,
    };
  }
}

/** In ns; a histogram accepts integers from 1. */
function record(histogram: ReturnType<typeof createHistogram>, ns: number): void {
  histogram.record(Math.min(HISTOGRAM.highest, Math.max(1, Math.round(ns))));
}

function total(balances: readonly Balance[]): Balance {
  const sum = (key: 'reported' | 'received' | 'lost' | 'doubled' | 'skipped') =>
    balances.reduce((all, balance) => all + balance[key], 0);
  return {
    reported: sum('reported'),
    received: sum('received'),
    lost: sum('lost'),
    doubled: sum('doubled'),
    skipped: sum('skipped'),
    examples: balances.flatMap(({ examples }) => examples),
  };
}
