import { createHistogram } from 'node:perf_hooks';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { loadDesigns } from '../../core/locking/own-design.js';
import { Machine } from '../../core/machine/machine.js';
import { SharedMemory } from '../../core/memory/shared-memory.js';
import { U64 } from '../../core/memory/u64.js';
import { Thread } from '../../core/sync/thread.js';
import { WaitGraph } from '../../core/sync/wait-graph.js';
import { Doorbell } from '../../runtime/rings/doorbell.js';
import { circumstancesOf } from '../../runtime/statistics/circumstances.js';
import { LockReportRings } from '../../runtime/statistics/lock-reports.js';
import { ThreadStatistics } from '../../runtime/statistics/thread-statistics.js';
import { ThreadHost } from '../../runtime/threads/host.js';
import type { SharedMap } from '../../runtime/threads/shared-map.js';
import { Workload } from './workload.js';

/**
 * One vCPU of a comparison: a thread that enters the machine as vCPU threads do (path B), but without a submission ring,
 * whose time would hide that of the locks. The thread times each access itself.
 */
export interface DriverData {
  readonly buffer: SharedArrayBuffer;
  readonly map: SharedMap;
  readonly thread: number;
  readonly vcpu: number;
  /** Modules of designs, as URLs. */
  readonly designs: readonly string[];
}

/** One run of a driver. */
export interface Order {
  /** Word address of the machine. */
  readonly machine: number;
  readonly seed: number;
  readonly ms: number;
  /** ns from the intended begin of one access to the next; 0: at full speed. */
  readonly interval: number;
  /** Read the main counter only. */
  readonly readsOnly?: boolean;
}

/** The result of a run; durations in ns. */
export interface Drive {
  readonly accesses: number;
  readonly ms: number;
  readonly mmio: { readonly p50: number; readonly p99: number; readonly p999: number };
  readonly read: { readonly p50: number; readonly p99: number };
}

const { buffer, map, thread: id, vcpu, designs } = workerData as DriverData;
await loadDesigns(designs);
const shared = new SharedMemory(buffer);
const statistics = new ThreadStatistics(buffer, map, id);
const bell = new Doorbell(shared, map.gatewayBell);
const thread = new Thread(
  id,
  shared,
  statistics,
  new WaitGraph(shared, id, () => shared.hostTime()),
  new LockReportRings(shared, map.lockReports, () => bell.ring(), circumstancesOf(buffer, map)),
);
const host = new ThreadHost(shared, map);
const machine = new Machine(new SharedMemory(buffer), thread, host);
const value = new U64();
/** A word that never changes; the thread sleeps on it. */
const pause = new Int32Array(new SharedArrayBuffer(4));

function drive({ machine: base, seed, ms, interval, readsOnly = false }: Order): Drive {
  machine.select(base);
  const workload = new Workload(machine, vcpu, seed, value);
  const mmio = createHistogram({ lowest: 1, highest: 10e9, figures: 3 });
  const read = createHistogram({ lowest: 1, highest: 10e9, figures: 3 });
  const begin = shared.hostTime();
  const end = begin + ms * 1e6;
  let accesses = 0;
  let intended = begin;
  for (let now = begin; now < end; accesses++) {
    // Behind its time, an access is made at once.
    if (interval > 0) {
      intended += interval;
      if (intended > now) Atomics.wait(pause, 0, 0, (intended - now) / 1e6);
      now = shared.hostTime();
    }
    const isRead = readsOnly ? workload.readCounter() : workload.access();
    const done = shared.hostTime();
    const took = Math.max(1, Math.round(done - now));
    mmio.record(took);
    if (isRead) read.record(took);
    host.publish();
    now = done;
  }
  return {
    accesses,
    ms: (shared.hostTime() - begin) / 1e6,
    mmio: { p50: mmio.percentile(50), p99: mmio.percentile(99), p999: mmio.percentile(99.9) },
    read: { p50: read.percentile(50), p99: read.percentile(99) },
  };
}

const port = parentPort as MessagePort;
port.on('message', (order: Order) => port.postMessage(drive(order)));
