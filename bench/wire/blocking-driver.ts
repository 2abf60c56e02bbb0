import { parentPort, workerData } from 'node:worker_threads';
import { SyncVcpu } from '../../src/client/sync/index.js';
import { HPET_BASE } from '../../src/core/devices/guest-map.js';
import { MAIN_COUNTER } from '../../src/core/devices/hpet/registers.js';

/** A thread that makes blocking calls for some time when it is asked to: latency of single reads and polls, and rate of batches. */
const { url, batch } = workerData as { readonly url: string; readonly batch: number };
const COUNTER = { address: HPET_BASE + MAIN_COUNTER, size: 8 };
const vcpu = SyncVcpu.connect(url, 'default', 0);
/** A poll is shorter than a look at the clock. */
const POLLS = 1000;

parentPort?.on('message', ({ what, ms }: { readonly what: 'single' | 'batch' | 'poll'; readonly ms: number }) => {
  const durations: number[] = [];
  const accesses = Array.from({ length: batch }, () => COUNTER);
  const begin = performance.now();
  let count = 0;
  for (let now = begin; now < begin + ms; ) {
    if (what === 'single') vcpu.read(COUNTER.address, 8);
    else if (what === 'batch') vcpu.batch(accesses);
    else for (let poll = 0; poll < POLLS; poll++) vcpu.poll();
    count += what === 'single' ? 1 : batch;
    const after = performance.now();
    durations.push(((after - now) * 1e6) / (what === 'poll' ? POLLS : 1));
    now = after;
  }
  durations.sort((a, b) => a - b);
  const p50 = durations[durations.length >> 1];
  parentPort?.postMessage({ p50, perSecond: (count / (performance.now() - begin)) * 1000 });
});
parentPort?.postMessage('ready');
