import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { NodeSocket } from '../../src/client/node-socket.js';
import { Vcpu, type VcpuEvent } from '../../src/client/vcpu.js';

/** What a client under test is to do. */
export type Operation =
  | { readonly kind: 'write'; readonly address: number; readonly value: number }
  | { readonly kind: 'post'; readonly address: number; readonly value: number }
  | { readonly kind: 'read'; readonly address: number }
  | { readonly kind: 'line'; readonly gsi: number; readonly level: 0 | 1 }
  | { readonly kind: 'step'; readonly ns: number }
  | { readonly kind: 'inta' }
  | { readonly kind: 'sync' };

export interface Outcome {
  readonly value?: number;
  /** Code of the error. */
  readonly error?: string;
}

/** A client of vCPU 0 of machine `m`. */
export interface ClientUnderTest {
  readonly events: VcpuEvent[];
  perform(operation: Operation): Promise<Outcome>;
  close(): Promise<void>;
}

export const RECONNECT = { delayMs: 1 };

async function outcomeOf(vcpu: Vcpu, operation: Operation): Promise<Outcome> {
  try {
    switch (operation.kind) {
      case 'write':
        await vcpu.write(operation.address, 4, operation.value);
        return {};
      case 'post':
        vcpu.post(operation.address, 4, operation.value);
        return {};
      case 'read':
        return { value: await vcpu.read(operation.address, 4) };
      case 'line':
        await vcpu.setLine(operation.gsi, operation.level);
        return {};
      case 'step':
        await vcpu.step(operation.ns);
        return {};
      case 'inta':
        return { value: await vcpu.acknowledge() };
      case 'sync':
        await vcpu.sync();
        return {};
    }
  } catch (error) {
    return { error: (error as { code?: string }).code ?? String(error) };
  }
}

/** The promise client. */
export async function promiseClient(url: string): Promise<ClientUnderTest> {
  const events: VcpuEvent[] = [];
  const vcpu = await Vcpu.connect(url, 'm', 0, {
    WebSocket: NodeSocket,
    reconnect: RECONNECT,
    connectMs: 1000,
  });
  // Behind the arrival of events, so that a lost connection leaves some that arrived and were not taken.
  const read = async () => {
    for await (const event of vcpu.events()) {
      events.push(event);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  // The end of the client shows in its requests.
  read().catch(() => {});
  return {
    events,
    perform: (operation) => outcomeOf(vcpu, operation),
    close: async () => vcpu.close(),
  };
}

/** The blocking client, in a thread of its own: `drivers/blocking.ts`. */
export async function blockingClient(url: string): Promise<ClientUnderTest> {
  const driver = new Worker(new URL('../client/drivers/blocking.js', import.meta.url), {
    workerData: url,
    execArgv: [],
  });
  const events: VcpuEvent[] = [];
  const waiting: ((outcome: Outcome) => void)[] = [];
  driver.on('message', (message: { event?: VcpuEvent; outcome?: Outcome }) => {
    if (message.event) events.push(message.event);
    if (message.outcome) waiting.shift()?.(message.outcome);
  });
  await once(driver, 'message');
  return {
    events,
    perform: (operation) => {
      driver.postMessage(operation);
      return new Promise((resolve) => waiting.push(resolve));
    },
    close: async () => {
      driver.postMessage('close');
      await once(driver, 'exit');
    },
  };
}
