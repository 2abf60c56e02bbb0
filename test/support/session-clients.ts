import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
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
export const CONNECT_MS = 1000;

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
export async function promiseClient(url: string, follow = true): Promise<ClientUnderTest> {
  const events: VcpuEvent[] = [];
  const vcpu = await Vcpu.connect(url, 'm', 0, {
    WebSocket: NodeSocket,
    reconnect: RECONNECT,
    connectMs: CONNECT_MS,
    follow,
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
export async function blockingClient(url: string, follow = true): Promise<ClientUnderTest> {
  const driver = new Worker(new URL('../client/drivers/blocking.js', import.meta.url), {
    workerData: { url, follow },
    execArgv: [],
  });
  // From the start: a thread that has failed ended before it is closed.
  const exited = new Promise<void>((resolve) => driver.once('exit', () => resolve()));
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
      await exited;
    },
  };
}

/** The words of a command for the drivers of the clients in other languages. */
function commandOf(operation: Operation): string {
  switch (operation.kind) {
    case 'write':
    case 'post':
      return `${operation.kind} ${operation.address} 4 ${operation.value}`;
    case 'read':
      return `read ${operation.address} 4`;
    case 'line':
      return `line ${operation.gsi} ${operation.level}`;
    case 'step':
      return `step ${operation.ns}`;
    default:
      return operation.kind;
  }
}

/** An event as the drivers print it: what the model of sessions looks at. */
function eventIn(line: string): VcpuEvent | undefined {
  const [type, first, second] = line.split(' ');
  if (type === 'gap') return { type, from: Number(first), to: Number(second) };
  if (type === 'restored') return { type, sequence: Number(second) } as VcpuEvent;
  return type === 'interrupt' || type === 'intr' ? ({ type, sequence: Number(first) } as VcpuEvent) : undefined;
}

/** A client in another language, as a program that executes commands: `drivers/driver.c` and `driver.py`. */
export async function programClient(
  [program, ...parameters]: readonly string[],
  url: string,
  follow = true,
): Promise<ClientUnderTest> {
  const child = spawn(program, [...parameters, url, 'm', '0'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      TIMEOUT_MS: '60000',
      CONNECT_MS: String(CONNECT_MS),
      RETRY_MS: String(RECONNECT.delayMs),
      ...(!follow && { NO_FOLLOW: '1' }),
    },
  });
  const exited = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const events: VcpuEvent[] = [];
  const waiting: { readonly command: string; readonly resolve: (outcome: Outcome) => void }[] = [];
  let isClosed = false;

  /** The line behind the events. */
  const answer = async (): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) return 'error program-ended';
      const event = eventIn(value);
      if (!event) return value;
      events.push(event);
    }
  };
  const execute = async (command: string): Promise<Outcome> => {
    child.stdin.write(`${command}\n`);
    const [word, text] = (await answer()).split(' ');
    if (word === 'error') return { error: text };
    return word === 'value' ? { value: Number(text) } : {};
  };
  const first = await answer();
  if (first !== 'open') throw new Error(first);
  const run = async () => {
    while (!isClosed) {
      const next = waiting.shift();
      if (next) next.resolve(await execute(next.command));
      // The error of a client that has ended shows in its requests.
      else if ((await execute('wait 1')).error) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    child.stdin.end();
  };
  const running = run();
  return {
    events,
    perform: (operation) => new Promise((resolve) => waiting.push({ command: commandOf(operation), resolve })),
    close: async () => {
      isClosed = true;
      await running;
      await exited;
    },
  };
}
