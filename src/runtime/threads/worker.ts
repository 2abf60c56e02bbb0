import { readlinkSync, writeFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { loadDesigns } from '../../core/locking/own-design.js';
import type { Machine } from '../../core/machine/machine.js';
import { SharedMemory } from '../../core/memory/shared-memory.js';
import { Thread } from '../../core/sync/thread.js';
import { WaitGraph } from '../../core/sync/wait-graph.js';
import { LockReportRings } from '../memory/lock-reports.js';
import { ThreadProgress } from '../memory/progress.js';
import { type SharedMap, submissionRingAt } from '../memory/shared-map.js';
import { Doorbell } from '../rings/doorbell.js';
import { SubmissionRing } from '../rings/submission-ring.js';
import { circumstancesOf } from '../statistics/circumstances.js';
import { ThreadStatistics } from '../statistics/thread-statistics.js';
import type { ThreadHost } from './host.js';
import { LeaseWord } from './lease-word.js';
import { LoadThread } from './load-thread.js';
import { MainLoop } from './main-loop.js';
import { VcpuThread } from './vcpu-thread.js';

/** The body of a worker: the main loop, the load thread or a vCPU thread, by its role. It has no event loop. */
export interface WorkerData {
  readonly buffer: SharedArrayBuffer;
  readonly map: SharedMap;
  readonly thread: number;
  readonly role: WorkerRole;
  /** Modules of designs, as URLs, in the order in which the gateway loaded them. */
  readonly designs: readonly string[];
}

/** The main loop, the load thread, or the vCPU thread `index` with the submission ring `ring`. */
export type WorkerRole =
  | { readonly kind: 'main-loop' }
  | { readonly kind: 'bql-load' }
  | { readonly kind: 'vcpu'; readonly index: number; readonly ring: number };

const { buffer, map, thread: id, role, designs } = workerData as WorkerData;
sharpenTimers();
await loadDesigns(designs);

const shared = new SharedMemory(buffer);
const statistics = new ThreadStatistics(buffer, map, id);
statistics.wakes();
const gatewayBell = new Doorbell(shared, map.gatewayBell);
const thread = new Thread(
  id,
  shared,
  statistics,
  new WaitGraph(shared, id, () => shared.hostTime()),
  new LockReportRings(shared, map.lockReports, () => gatewayBell.ring(), circumstancesOf(buffer, map)),
);
const memory = new SharedMemory(buffer);

/**
 * Shows the watchdog the progress of this thread, and shows the gateway when the thread writes an event: so the gateway
 * finds the record that a dead thread left incomplete. The thread obeys the lease of the process.
 */
function claim(machine: Machine): void {
  const host = machine.host as ThreadHost;
  host.progress = new ThreadProgress(shared, map.progress, id);
  host.lease = new LeaseWord(shared, map.lease);
  host.events.claim = map.emitting + id;
  shared.set(map.emitting + id, 0);
}

if (role.kind === 'main-loop') {
  const mainLoop = new MainLoop(thread, memory, map);
  claim(mainLoop.machine);
  for (;;) mainLoop.iterate();
} else if (role.kind === 'bql-load') {
  const load = new LoadThread(thread, memory, map);
  for (;;) load.iterate();
} else {
  const submissions = new SubmissionRing(shared, submissionRingAt(map, role.ring), map.submissions);
  const vcpu = new VcpuThread(thread, memory, map, role.index, submissions);
  claim(vcpu.machine);
  while (vcpu.step());
}

/** Linux rounds sleeps up by the timer slack, 50 µs; a timer thread asks for 1 ns. Elsewhere there is none to set. */
function sharpenTimers(): void {
  try {
    const tid = readlinkSync('/proc/thread-self').split('/').pop();
    writeFileSync(`/proc/${tid}/timerslack_ns`, '1');
  } catch {}
}
