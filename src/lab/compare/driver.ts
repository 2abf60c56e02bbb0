import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { loadDesigns } from '../../core/locking/own-design.js';
import { Machine } from '../../core/machine/machine.js';
import { SharedMemory } from '../../core/memory/shared-memory.js';
import { U64 } from '../../core/memory/u64.js';
import { MAIN_LOOP } from '../../core/sync/call-sites.js';
import { BQL } from '../../core/sync/lock-names.js';
import { Thread } from '../../core/sync/thread.js';
import { WaitGraph } from '../../core/sync/wait-graph.js';
import { LockReportRings } from '../../runtime/memory/lock-reports.js';
import type { SharedMap } from '../../runtime/memory/shared-map.js';
import { Doorbell } from '../../runtime/rings/doorbell.js';
import { circumstancesOf } from '../../runtime/statistics/circumstances.js';
import { ThreadHost } from '../../runtime/threads/host.js';
import type { WorkloadName } from './condition.js';
import { ConvoyStatistics } from './convoy.js';
import { durationHistogram, recordDuration } from './histogram.js';
import { Schedule } from './schedule.js';
import { Workload } from './workload.js';

/**
 * One vCPU of a comparison: a thread that enters the machine as vCPU threads do (path B), but without a submission ring,
 * whose time would hide that of the locks. The thread times each access itself. One more such thread may hold the BQL
 * without any access.
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
  /** ns from the intended start of one access to the next; 0: at full speed; Infinity: no access. */
  readonly interval: number;
  readonly workload: WorkloadName;
  /** Holds of the BQL that burn this core, as MMIO of another device does, for a share of the time. */
  readonly holds?: { readonly ns: number; readonly share: number };
}

/** The result of a run; durations in ns. */
export interface Drive {
  readonly accesses: number;
  readonly ms: number;
  readonly mmio: { readonly p50: number; readonly p99: number; readonly p999: number };
  /** Of reads of the main counter by themselves, and from their intended starts. */
  readonly read: { readonly p50: number; readonly p99: number; readonly response: number };
  /** The median of reads of the main counter and that of the others, weighed by how many there are. */
  readonly typical: number;
  readonly convoy: number;
}

const { buffer, map, thread: id, vcpu, designs } = workerData as DriverData;
await loadDesigns(designs);
const shared = new SharedMemory(buffer);
const statistics = new ConvoyStatistics(buffer, map, id);
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

function sleep(ns: number): void {
  Atomics.wait(pause, 0, 0, ns / 1e6);
}

/** Holds the BQL as an access to another device does, which is emulated under it. */
function hold(ns: number): void {
  const { locks } = machine;
  locks.site = MAIN_LOOP;
  locks.acquire(BQL);
  const begin = shared.hostTime();
  while (shared.hostTime() - begin < ns);
  locks.release(BQL);
}

function drive({ machine: base, seed, ms, interval, workload: name, holds }: Order): Drive {
  machine.select(base);
  statistics.restart();
  const workload = new Workload(machine, vcpu, seed, value);
  const isStorm = name === 'counter-storm';
  const mmio = durationHistogram();
  const read = durationHistogram();
  const response = durationHistogram();
  const other = durationHistogram();
  const begin = shared.hostTime();
  const schedule = new Schedule(begin, interval, holds, vcpu);
  const end = begin + ms * 1e6;
  for (let now = begin; now < end; now = shared.hostTime()) {
    const idle = schedule.next - now;
    if (idle > 0) {
      sleep(Math.min(idle, end - now));
      schedule.woke(shared.hostTime());
      continue;
    }
    if (holds && schedule.isHoldDue(now)) {
      hold(holds.ns);
      schedule.held(now, shared.hostTime());
      continue;
    }
    const start = schedule.begin(now);
    const isRead = isStorm ? workload.stormRead() : workload.access();
    const done = shared.hostTime();
    recordDuration(mmio, done - start);
    recordDuration(isRead ? read : other, done - now);
    if (isRead) recordDuration(response, done - start);
    host.publish();
  }
  const accesses = mmio.count;
  return {
    accesses,
    ms: (shared.hostTime() - begin) / 1e6,
    mmio: { p50: mmio.percentile(50), p99: mmio.percentile(99), p999: mmio.percentile(99.9) },
    read: { p50: read.percentile(50), p99: read.percentile(99), response: response.percentile(99) },
    typical: accesses > 0 ? (read.count * read.percentile(50) + other.count * other.percentile(50)) / accesses : 0,
    convoy: statistics.longest,
  };
}

const port = parentPort as MessagePort;
port.on('message', (order: Order) => port.postMessage(drive(order)));
