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
import { halfSpread, median } from './measure.js';
import { type Row, row } from './rows.js';
import { request, write } from './wire/api.js';
import { residentBytes } from './wire/process.js';
import { ServerProcess } from './wire/server.js';

/** Ticks of the main counter in a second (10 ns each). */
const SECOND = 100_000_000;
const FEW = 10;
const MANY = 10_000;
const REQUESTS_AT_ONCE = 64;

/** Rounds alternate between the two servers; the one with few machines has two turns to one. */
const ROUNDS = 9;
const ROUND_MS = 500;

/** How late timers are at 1 kHz, and with very many machines; and what each machine takes. */
export async function rows(): Promise<Row[]> {
  const [few, many] = await Promise.all([
    ServerProcess.southbridge(),
    ServerProcess.southbridge('--set', `limits.machines=${MANY}`),
  ]);
  try {
    await make(few, 'm0', SECOND / 1000);
    const tick = await lateness(few, 'm0', 5000);
    await makeMany(few, 1, FEW);
    await make(many, 'm0', SECOND / 1000);
    await makeMany(many, 1, FEW);
    const before = residentBytes(many.child.pid as number);
    await makeMany(many, FEW, MANY);
    const each = (residentBytes(many.child.pid as number) - before) / (MANY - FEW) / 1024;
    const kHz = 'timer at 1 kHz on an idle machine: lateness';
    return [
      row(`${kHz} p50`, tick.percentile(50) / 1000, 'µs', { better: 'lower', target: 100 }),
      row(`${kHz} p99`, tick.percentile(99) / 1000, 'µs', { better: 'lower', target: 300 }),
      row(`${MANY} machines, each with an armed timer: memory of each`, each, 'KiB', { better: 'lower', target: 24 }),
      ...(await alternate(few, many)),
    ];
  } finally {
    await Promise.all([few.stop(), many.stop()]);
  }
}

async function alternate(few: ServerProcess, many: ServerProcess): Promise<Row[]> {
  const p50 = async (server: ServerProcess) => (await lateness(server, 'm0', ROUND_MS)).percentile(50) / 1000;
  const first: number[] = [];
  const own: number[] = [];
  const second: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    first.push(await p50(few));
    own.push(await p50(many));
    second.push(await p50(few));
  }
  const baseline = median(first.map((value, index) => (value + second[index]) / 2));
  const spread = halfSpread(first.map((value, index) => second[index] / value));
  return [
    row(`${MANY} machines: timer lateness p50, to that of ${FEW}`, median(own), 'µs', {
      better: 'lower',
      target: 2,
      baseline,
      spread,
    }),
    row(`  A/A: ${FEW} machines to themselves, ±${(spread * 100).toFixed(1)} %`, median(second), 'µs', {
      better: 'lower',
      baseline: median(first),
    }),
  ];
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
