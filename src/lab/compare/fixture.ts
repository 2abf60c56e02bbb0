import { once } from 'node:events';
import { createHistogram } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { PROFILES, quirkBits } from '../../core/devices/quirks.js';
import type { Design } from '../../core/locking/axes.js';
import { loadedDesigns } from '../../core/locking/own-design.js';
import { EVENT_LINE } from '../../core/machine/events.js';
import { U64 } from '../../core/memory/u64.js';
import * as L from '../../runtime/statistics/statistics-layout.js';
import { Engine } from '../../runtime/threads/engine.js';
import { FIRST_VCPU_THREAD, machineAt } from '../../runtime/threads/shared-map.js';
import type { Durations } from '../../runtime/threads/slot-totals.js';
import type { Drive, DriverData, Order } from './driver.js';
import { HOLD_NS, type Measurement } from './figures.js';
import { Workload } from './workload.js';

const SLOT = 0;
const STATISTICS = 0;
/** ns between the accesses of a vCPU while latency is measured. */
const INTERVAL_NS = 100_000;
/** vCPU threads of the engine. They run the callbacks that `timer: kick` passes to them. */
const ENGINE_VCPUS = 3;

export interface CellRequest {
  readonly design: Design;
  /** 0 to 0.95. */
  readonly load: number;
  readonly seed: number;
  /** Milliseconds of each of the two parts: throughput and contention at full speed, then latency at a fixed interval. */
  readonly partMs: number;
  /** Read the main counter only. */
  readonly readsOnly?: boolean;
}

/** The threads that measure designs one after the other: a main loop, and vCPUs that do nothing but access. */
export class Fixture {
  readonly #drivers: Worker[] = [];

  private constructor(readonly engine: Engine) {}

  static async start(vcpus: number): Promise<Fixture> {
    const engine = new Engine({ vcpuThreads: ENGINE_VCPUS, machines: 1, execution: 'threads' });
    await engine.start();
    const fixture = new Fixture(engine);
    for (let vcpu = 0; vcpu < vcpus; vcpu++) {
      const workerData: DriverData = {
        buffer: engine.shared.buffer as SharedArrayBuffer,
        map: engine.map,
        thread: FIRST_VCPU_THREAD + ENGINE_VCPUS + vcpu,
        vcpu,
        designs: loadedDesigns(),
      };
      const driver = new Worker(new URL('./driver.js', import.meta.url), { workerData, execArgv: [] });
      await once(driver, 'online');
      fixture.#drivers.push(driver);
    }
    return fixture;
  }

  async close(): Promise<void> {
    await Promise.all(this.#drivers.map((driver) => driver.terminate()));
    await this.engine.close();
  }

  /** Measures one design under one load, on a new machine. */
  async measure({ design, load, seed, partMs, readsOnly }: CellRequest): Promise<Measurement> {
    const { engine } = this;
    const lateness = createHistogram({ lowest: 1, highest: 10e9, figures: 3 });
    const interrupt = createHistogram({ lowest: 1, highest: 10e9, figures: 3 });
    let paced = false;
    const slot = engine.slot(SLOT);
    slot.create(
      {
        slot: SLOT,
        design,
        clock: 'realtime',
        hpet: { timers: 4, msi: false, routingCapability: 0x00ff_ffff },
        ioapic: { version: 0x20, id: 0 },
        quirks: quirkBits(PROFILES.standard),
        generationCheck: true,
        countOverlap: false,
        statistics: { slot: STATISTICS, exact: false },
      },
      ({ kind, deadline, virtualTime }) => {
        if (!paced || deadline < 0) return;
        const late = Math.max(1, Math.round(virtualTime - deadline));
        if (kind === EVENT_LINE) lateness.record(late);
        else interrupt.record(late + Math.max(0, Math.round(slot.virtualTime - virtualTime)));
      },
    );
    const base = machineAt(engine.map, SLOT);
    Workload.prepare(slot.machine, new U64());
    slot.loadBql({ duty: Math.round(load * 1000), hold: HOLD_NS, burn: false });
    const before = this.#counts();
    const deadlocks = engine.lockView.deadlockCount;

    const fast = await this.#drive({ machine: base, seed, ms: partMs, interval: 0, readsOnly });
    const counts = this.#counts();
    paced = true;
    const slow = await this.#drive({ machine: base, seed, ms: partMs, interval: INTERVAL_NS, readsOnly });
    paced = false;
    const stale = slot.deferred();
    const inversions = slot.lockOrder().inversions.length;
    const found = engine.lockView.deadlockCount - deadlocks;
    slot.loadBql({ duty: 0, hold: HOLD_NS, burn: false });
    await slot.remove();

    return {
      figures: {
        ...accessFigures(fast, slow),
        latenessP50: lateness.percentile(50),
        latenessP99: lateness.percentile(99),
        interruptP50: interrupt.percentile(50),
        interruptP99: interrupt.percentile(99),
        contended: share(counts.contended - before.contended, counts.acquired - before.acquired),
        waiting: share(counts.waited - before.waited, sum(fast.map(({ ms }) => ms * 1e6))),
        reacquire: mean(counts.reacquire, before.reacquire),
        nested: mean(counts.nested, before.nested),
      },
      hazards: { late: stale.late, inverted: stale.inverted, deadlocks: found, inversions },
    };
  }

  #drive(order: Order): Promise<Drive[]> {
    return Promise.all(
      this.#drivers.map(async (driver) => {
        driver.postMessage(order);
        const [drive]: Drive[] = await once(driver, 'message');
        return drive;
      }),
    );
  }

  /** Lock counts of the vCPU threads so far, over all machines. */
  #counts() {
    const { statistics } = this.engine;
    const rows = statistics.locks(STATISTICS).filter(({ site }) => VCPU_SITES.includes(site));
    return {
      acquired: rows.reduce((sum, row) => sum + row.acquired, 0),
      contended: rows.reduce((sum, row) => sum + row.contended, 0),
      waited: rows.reduce((sum, row) => sum + row.wait.sum, 0),
      reacquire: statistics.durations(STATISTICS, L.REACQUIRE),
      nested: statistics.durations(STATISTICS, L.NESTED_WAIT),
    };
  }
}

/** Call sites at which only vCPUs take locks. */
const VCPU_SITES = ['mmio-read', 'mmio-write', 'irq-update', 'deferred-flush'];

function share(part: number, whole: number): number {
  return whole > 0 ? (100 * part) / whole : 0;
}

function mean(now: Durations, before: Durations): number {
  const count = now.count - before.count;
  return count > 0 ? (now.sum - before.sum) / count : 0;
}

/** Figures of the drivers, as fast as they go and paced. Of latencies, those of the slowest driver. */
function accessFigures(fast: readonly Drive[], slow: readonly Drive[]) {
  const largest = (pick: (drive: Drive) => number) => Math.max(...slow.map(pick));
  return {
    accesses: sum(fast.map(({ accesses, ms }) => accesses / (ms / 1000))),
    readP50: largest(({ read }) => read.p50),
    readP99: largest(({ read }) => read.p99),
    mmioP50: largest(({ mmio }) => mmio.p50),
    mmioP99: largest(({ mmio }) => mmio.p99),
    mmioP999: largest(({ mmio }) => mmio.p999),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
