import { createHistogram } from 'node:perf_hooks';
import { WebSocket } from 'ws';
import { summary } from '../src/lab/compare/summary.js';
import { readServerFrame } from '../src/protocol/protobuf/answers.js';
import { PROTO_SUBPROTOCOL } from '../src/protocol/subprotocols.js';
import { print, saveResults } from './results.js';
import { inParallel, makeTicking } from './wire/api.js';
import { processorSeconds } from './wire/process.js';
import { ServerProcess } from './wire/server.js';

/**
 * What a server with default settings needs for machines with a periodic timer each, and for subscribers of their
 * interrupts: processor time of the whole process, and how late the timers are. The source of the capacity table of
 * `docs/operations.md`.
 */
interface Load {
  readonly machines: number;
  /** Of the timer of each machine, in Hz. */
  readonly rate: number;
  /** Of each machine. */
  readonly subscribers: number;
}

const LOADS: readonly Load[] = [
  { machines: 1, rate: 1000, subscribers: 0 },
  { machines: 100, rate: 100, subscribers: 0 },
  { machines: 1000, rate: 10, subscribers: 0 },
  { machines: 1, rate: 1000, subscribers: 10 },
  { machines: 100, rate: 100, subscribers: 1 },
  { machines: 1000, rate: 10, subscribers: 1 },
];

/** Ticks of the main counter in a second (10 ns each). */
const SECOND = 100_000_000;
const ROUNDS = 9;
const ROUND_MS = 1000;
const WARM_UP_MS = 2000;

for (const load of LOADS) await measureLoad(load);
saveResults('node dist/bench/capacity.js');

async function measureLoad({ machines, rate, subscribers }: Load): Promise<void> {
  const server = await ServerProcess.southbridge('--set', `limits.machines=${machines + 1}`);
  const names = Array.from({ length: machines }, (_, machine) => `m${machine}`);
  await inParallel(names, (name) => makeTicking(server.url, name, SECOND / rate));
  const lateness = createHistogram({ lowest: 1, highest: 60e9, figures: 3 });
  const watched = subscribers === 0 ? ['m0'] : names.flatMap((name) => Array<string>(subscribers).fill(name));
  const sockets: WebSocket[] = [];
  await inParallel(watched, async (name) => {
    sockets.push(await subscribe(server, name, (ns) => lateness.record(Math.max(1, ns))));
  });
  await pause(WARM_UP_MS);
  const processor: number[] = [];
  const late: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    lateness.reset();
    const [begin, before] = [performance.now(), processorSeconds(server.child.pid as number)];
    await pause(ROUND_MS);
    const used = processorSeconds(server.child.pid as number) - before;
    processor.push((used / (performance.now() - begin)) * 1e5);
    late.push(lateness.percentile(99) / 1000);
  }
  for (const socket of sockets) socket.terminate();
  await server.stop();
  const name = `${machines} machines at ${rate} Hz, ${subscribers} subscribers each`;
  print(name, {
    [`${name}: processor`]: { ...summary(processor), unit: '% of a core' },
    [`${name}: timer lateness p99`]: { ...summary(late), unit: 'µs' },
  });
}

/** Subscribes to a machine's line changes; `onLate` gets the lateness of each in ns. */
function subscribe(server: ServerProcess, name: string, onLate: (ns: number) => void): Promise<WebSocket> {
  const url = `${server.url.replace('http', 'ws')}/v1/machines/${name}/irqs?kind=line`;
  const socket = new WebSocket(url, [PROTO_SUBPROTOCOL], { perMessageDeflate: false });
  socket.on('message', (data: Buffer) => {
    const message = readServerFrame(data);
    if (message.type === 'irq' && message.lateness !== undefined) onLate(Number(message.lateness));
  });
  return new Promise((resolve, reject) => {
    socket.once('message', () => resolve(socket)).once('error', reject);
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
