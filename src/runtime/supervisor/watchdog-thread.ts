import { parentPort, workerData } from 'node:worker_threads';
import { SharedMemory } from '../../core/memory/shared-memory.js';
import type { SharedMap } from '../memory/shared-map.js';
import { STALL_TICKS, type Stall, TICK_MS, Watchdog } from './watchdog.js';

/** The body of the watchdog's worker. It has no event loop, and waits for nothing that other threads hold. */
export interface WatchdogData {
  readonly buffer: SharedArrayBuffer;
  readonly map: SharedMap;
  /** Whether the process ends on a stall. */
  readonly exits: boolean;
}

/** What it tells the gateway. */
export interface WatchdogNews {
  readonly begun: readonly Stall[];
  /** Numbers of the threads that make progress again. */
  readonly ended: readonly number[];
}

watch(workerData as WatchdogData);

function watch({ buffer, map, exits }: WatchdogData): never {
  const shared = new SharedMemory(buffer);
  const watchdog = new Watchdog(shared, map);
  /** Never notified: the tick. */
  const tick = new Int32Array(new SharedArrayBuffer(4));
  let stalls = 0;
  for (;;) {
    Atomics.wait(tick, 0, 0, TICK_MS);
    const { begun, ended } = watchdog.tick(shared.hostTime());
    stalls += begun.length - ended.length;
    if (begun.length > 0 || ended.length > 0) parentPort?.postMessage({ begun, ended } satisfies WatchdogNews);
    // The gateway ends the process, with its log and status. A worker cannot, but by a signal.
    if (exits && stalls > 0 && watchdog.gatewaySilence >= STALL_TICKS) process.kill(process.pid, 'SIGKILL');
  }
}
