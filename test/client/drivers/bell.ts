import { parentPort, workerData } from 'node:worker_threads';
import { Bell, SyncVcpu } from '../../../src/client/sync/index.js';

/** A thread that waits for vCPU 0 of two machines with one bell, and reports what each wait returned and delivered. */

const { buffer, url, isBlocking, waits } = workerData as {
  readonly buffer: SharedArrayBuffer;
  readonly url: string;
  readonly isBlocking: boolean;
  readonly waits: number;
};
/** Longer than anything here takes. */
const PATIENCE_MS = 60_000;

const bell = new Bell(buffer);
let events: string[] = [];
const vcpus = ['a', 'b'].map((machine) =>
  SyncVcpu.connect(url, machine, 0, {
    bell,
    onEvent: (event) => {
      if (event.type === 'interrupt') events.push(`${machine} ${event.message.vector}`);
    },
  }),
);
/** The event loop goes on during the wait: it says so, once. */
async function waitBeside(): Promise<boolean> {
  const beside = setTimeout(() => parentPort?.postMessage('goes on'), 1);
  const found = await bell.whenEvent(vcpus, PATIENCE_MS);
  clearTimeout(beside);
  return found;
}

parentPort?.postMessage('open');
for (let left = waits; left > 0; left--) {
  const found = isBlocking ? bell.waitForEvent(vcpus, PATIENCE_MS) : await waitBeside();
  parentPort?.postMessage({ found, events });
  events = [];
}
// One for a single vCPU, which the bell ends as well.
parentPort?.postMessage(vcpus[0].waitForEvent(PATIENCE_MS));
for (const vcpu of vcpus) vcpu.close();
