import { createHistogram } from 'node:perf_hooks';
import { WebSocket } from 'ws';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  PERIODIC,
  route,
  timerComparator,
  timerConfiguration,
  VALUE_SET,
} from '../test/support/guest.js';
import { type Row, row } from './rows.js';
import { request, write } from './wire/api.js';
import { residentBytes } from './wire/process.js';
import { ServerProcess } from './wire/server.js';

/** Ticks of the main counter in a second (10 ns each). */
const SECOND = 100_000_000;
const FEW = 10;
const MANY = 10_000;
const REQUESTS_AT_ONCE = 64;

/** How late timers are at 1 kHz, and with very many machines; and what each machine takes. */
export async function rows(): Promise<Row[]> {
  const server = await ServerProcess.southbridge('--set', `limits.machines=${MANY + FEW}`);
  try {
    await make(server, 'tick', SECOND / 1000);
    const tick = await lateness(server, 'tick', 5000);
    await request('DELETE', `${server.url}/v1/machines/tick`);
    await make(server, 'm0', SECOND / 1000);
    await makeMany(server, 1, FEW);
    const few = await lateness(server, 'm0', 5000);
    const before = residentBytes(server.child.pid as number);
    await makeMany(server, FEW, MANY);
    const many = await lateness(server, 'm0', 5000);
    const each = (residentBytes(server.child.pid as number) - before) / (MANY - FEW) / 1024;
    return [
      row('timer at 1 kHz on an idle machine: lateness p50', tick.percentile(50) / 1000, 'µs', {
        better: 'lower',
        target: 100,
      }),
      row('timer at 1 kHz on an idle machine: lateness p99', tick.percentile(99) / 1000, 'µs', {
        better: 'lower',
        target: 300,
      }),
      row(`${MANY} machines, each with an armed timer: memory of each`, each, 'KiB', { better: 'lower', target: 24 }),
      row(`${MANY} machines: timer lateness p50, to that of ${FEW}`, many.percentile(50) / 1000, 'µs', {
        better: 'lower',
        target: 2,
        baseline: few.percentile(50) / 1000,
      }),
    ];
  } finally {
    await server.stop();
  }
}

async function makeMany(server: ServerProcess, from: number, to: number): Promise<void> {
  let next = from;
  const worker = async () => {
    while (next < to) await make(server, `m${next++}`, 2 * SECOND);
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, worker));
}

/** A machine whose timer 0 ticks; the main counter's ticks. */
async function make(server: ServerProcess, name: string, period: number): Promise<void> {
  await request('POST', `${server.url}/v1/machines`, { name });
  await request('POST', `${server.url}/v1/machines/${name}/mmio`, {
    accesses: [
      write(timerConfiguration(0), route(2) | ENABLE | PERIODIC | VALUE_SET),
      write(timerComparator(0), period),
      write(timerComparator(0), period),
      write(GENERAL_CONFIGURATION, 1),
    ],
  });
}

/** Of the line changes of a machine's timers, for some time; ns. */
async function lateness(server: ServerProcess, machine: string, ms: number) {
  const histogram = createHistogram({ lowest: 1, highest: 60e9, figures: 3 });
  const url = `${server.url.replace('http', 'ws')}/v1/machines/${machine}/irqs?kind=line`;
  const socket = new WebSocket(url, ['southbridge.v1.json'], { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once('message', resolve).once('error', reject));
  socket.on('message', (data) => {
    const { lateness } = JSON.parse(String(data));
    if (lateness !== undefined) histogram.record(Math.max(1, Number(lateness)));
  });
  await new Promise((resolve) => setTimeout(resolve, ms));
  socket.terminate();
  return histogram;
}
