import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { PROFILES, quirkBits } from '../../core/devices/quirks.js';
import type { Design } from '../../core/locking/axes.js';
import { loadedDesigns } from '../../core/locking/own-design.js';
import { CONTROL_END_STEPS } from '../../core/machine/control-path.js';
import { EVENT_LINE } from '../../core/machine/events.js';
import { U64 } from '../../core/memory/u64.js';
import { Engine } from '../../runtime/engine.js';
import { FIRST_VCPU_THREAD, machineAt } from '../../runtime/memory/shared-map.js';
import * as L from '../../runtime/memory/statistics-layout.js';
import type { Durations } from '../../runtime/statistics/slot-totals.js';
import { burns, type Circumstances } from './condition.js';
import type { Drive, DriverData, Order } from './driver.js';
import type { Measurement } from './figures.js';
import { durationHistogram, recordDuration } from './histogram.js';
import { MainLoopProbe } from './main-loop-probe.js';
import { TIMERS, Workload } from './workload.js';

const SLOT = 0;
const STATISTICS = 0;
/** ns between the accesses of a vCPU while latency is measured. */
const INTERVAL_NS = 100_000;
/** vCPU threads of the engine. They run the callbacks that `timer: kick` passes to them. */
const ENGINE_VCPUS = 3;

export interface CellRequest extends Circumstances {
  readonly design: Design;
  readonly seed: number;
  /** Milliseconds of each of the two parts: throughput and contention at full speed, then latency at a fixed interval. */
  readonly partMs: number;
}

/** The part before these, in which one vCPU is alone, lasts for this share of one of them. */
const ALONE = 0.2;

/** The threads that measure designs one after the other: a main loop, and vCPUs that do nothing but access. */
export class Fixture {
  readonly #drivers: Worker[] = [];

  private constructor(
    readonly engine: Engine,
    readonly vcpus: number,
  ) {}

  /** Starts drivers for so many vCPUs, and one for a background thread that burns a core. */
  static async start(vcpus: number, burns = false): Promise<Fixture> {
    const engine = new Engine({ vcpuThreads: ENGINE_VCPUS, machines: 1, execution: 'threads' });
    await engine.start();
    const fixture = new Fixture(engine, vcpus);
    for (let vcpu = 0; vcpu < vcpus + (burns ? 1 : 0); vcpu++) {
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

  /** Measures one design under one condition, on a new machine. */
  async measure(request: CellRequest): Promise<Measurement> {
    const { engine } = this;
    const { seed, partMs, workload } = request;
    const slot = engine.slot(SLOT);
    const times = this.#create(request);
    const order = { machine: machineAt(engine.map, SLOT), seed, workload };
    const [alone] = await this.#drive({ ...order, ms: Math.max(5, partMs * ALONE), interval: 0 }, 1);
    const loads = this.#loads(request);
    slot.loadBql(loads.background);
    const before = this.#counts();
    const deadlocks = engine.lockView.deadlockCount;

    const fast = await this.#drive({ ...order, ms: partMs, interval: 0 }, request.vcpus, loads);
    const counts = this.#counts();
    times.running = true;
    const probe = MainLoopProbe.start(() => slot.control(CONTROL_END_STEPS));
    const slow = await this.#drive({ ...order, ms: partMs, interval: INTERVAL_NS }, request.vcpus, loads);
    const mainLoop = await probe.end();
    times.running = false;
    const stale = slot.deferred();
    const inversions = slot.lockOrder().inversions.length;
    const found = engine.lockView.deadlockCount - deadlocks;
    slot.loadBql({ ...loads.background, duty: 0 });
    await slot.remove();

    return {
      figures: {
        ...accessFigures(fast, slow),
        uncontended: alone.typical,
        mainLoopP50: mainLoop.percentile(50),
        mainLoopP99: mainLoop.percentile(99),
        latenessP50: times.lateness.percentile(50),
        latenessP99: times.lateness.percentile(99),
        interruptP50: times.interrupt.percentile(50),
        interruptP99: times.interrupt.percentile(99),
        contended: share(counts.contended - before.contended, counts.acquired - before.acquired),
        waiting: share(counts.waited - before.waited, sum(fast.map(({ ms }) => ms * 1e6))),
        reacquire: mean(counts.reacquire, before.reacquire),
        nested: mean(counts.nested, before.nested),
      },
      hazards: { late: stale.late, inverted: stale.inverted, deadlocks: found, inversions },
    };
  }

  /** Makes the machine. Returns the times of its interrupts, read from its events, while that is wanted. */
  #create({ design, mutex, workload }: CellRequest) {
    const times = { running: false, lateness: durationHistogram(), interrupt: durationHistogram() };
    const slot = this.engine.slot(SLOT);
    slot.create(
      {
        slot: SLOT,
        design,
        clock: 'realtime',
        hpet: { timers: TIMERS, msi: false, routingCapability: 0x00ff_ffff },
        ioapic: { version: 0x20, id: 0 },
        quirks: quirkBits(PROFILES.standard),
        generationCheck: true,
        countOverlap: false,
        locks: { mutex },
        statistics: { slot: STATISTICS, exact: false },
      },
      ({ kind, deadline, virtualTime }) => {
        if (!times.running || deadline < 0) return;
        const late = virtualTime - deadline;
        if (kind === EVENT_LINE) recordDuration(times.lateness, late);
        else recordDuration(times.interrupt, Math.max(0, late) + Math.max(0, slot.virtualTime - virtualTime));
      },
    );
    const value = new U64();
    Workload.prepare(slot.machine, value);
    if (workload === 'counter-storm') Workload.prepareStorm(slot.machine, value);
    return times;
  }

  /** The other work under the BQL: of the engine's background thread, of each vCPU, or of the driver that burns a core. */
  #loads(request: CellRequest) {
    const { load, holds, vcpus } = request;
    const byVcpus = load > 0 && holds.holder === 'vcpus';
    const byDriver = burns(request);
    return {
      background: { duty: byVcpus || byDriver ? 0 : Math.round(load * 1000), hold: holds.ns, burn: false },
      vcpus: byVcpus ? { ns: holds.ns, share: load / vcpus } : undefined,
      driver: byDriver ? { ns: holds.ns, share: load } : undefined,
    };
  }

  /** Runs the drivers of the first vCPUs; the result does not have that of the background driver. */
  async #drive(
    order: Omit<Order, 'holds'>,
    vcpus: number,
    loads?: { vcpus?: Order['holds']; driver?: Order['holds'] },
  ) {
    const run = async (driver: Worker, order: Order) => {
      driver.postMessage(order);
      const [drive]: Drive[] = await once(driver, 'message');
      return drive;
    };
    const background = loads?.driver
      ? run(this.#drivers[this.vcpus], { ...order, interval: Number.POSITIVE_INFINITY, holds: loads.driver })
      : undefined;
    const own = this.#drivers.slice(0, vcpus).map((driver) => run(driver, { ...order, holds: loads?.vcpus }));
    const drives = await Promise.all(own);
    await background;
    return drives;
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
  const rates = fast.map(({ accesses, ms }) => accesses / (ms / 1000));
  return {
    accesses: sum(rates),
    fairness: share(Math.min(...rates), Math.max(...rates)),
    convoy: Math.max(...fast.map(({ convoy }) => convoy)),
    readP50: largest(({ read }) => read.p50),
    readP99: largest(({ read }) => read.p99),
    readResponseP99: largest(({ read }) => read.response),
    mmioP50: largest(({ mmio }) => mmio.p50),
    mmioP99: largest(({ mmio }) => mmio.p99),
    mmioP999: largest(({ mmio }) => mmio.p999),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
