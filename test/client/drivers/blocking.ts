import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { SyncVcpu } from '../../../src/client/sync/index.js';
import { CONNECT_MS, type Operation, type Outcome, RECONNECT } from '../../support/session-clients.js';

/** A thread that makes the calls of a blocking client, one after the other, and reports what they return. */

if (!parentPort) throw new Error('this is a thread of a test');
const port = parentPort;
const { url, follow } = workerData;
const vcpu = SyncVcpu.connect(url, 'm', 0, {
  follow,
  reconnect: RECONNECT,
  connectMs: CONNECT_MS,
  onEvent: (event) => port.postMessage({ event }),
});

function perform(operation: Operation): Outcome {
  try {
    switch (operation.kind) {
      case 'write':
        vcpu.write(operation.address, 4, operation.value);
        return {};
      case 'post':
        vcpu.post(operation.address, 4, operation.value);
        return {};
      case 'read':
        return { value: vcpu.read(operation.address, 4) };
      case 'line':
        vcpu.setLine(operation.gsi, operation.level);
        return {};
      case 'step':
        vcpu.step(operation.ns);
        return {};
      case 'inta':
        return { value: vcpu.acknowledge() };
      case 'sync':
        vcpu.sync();
        return {};
    }
  } catch (error) {
    return { error: (error as { code?: string }).code ?? String(error) };
  }
}

port.postMessage({});
for (;;) {
  const received = receiveMessageOnPort(port);
  if (received?.message === 'close') break;
  if (received) port.postMessage({ outcome: perform(received.message) });
  else {
    try {
      vcpu.waitForEvent(1);
    } catch {
      // Each later call fails with the same error, which its outcome has.
    }
  }
}
vcpu.close();
port.close();
