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
import { median } from './measure.js';
import { type Row, row, selfRow } from './rows.js';
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
const WARM_UP_MS = 1000;

/** How late timers are at 1 kHz, and with very many machines; and what each machine takes. */
export async function rows(): Promise<Row[]> {
  const [few, many] = await Promise.all([
    ServerProcess.southbridge(),
    ServerProcess.southbridge('--set', `limits.machines=${MANY}`),
  ]);
  try {
    await make(few, 'm0', SECOND / 1000);
    const ticks = await atOneKilohertz(few);
    await makeMany(few, 1, FEW);
    await make(many, 'm0', SECOND / 1000);
    await makeMany(many, 1, FEW);
    const before = residentBytes(many.child.pid as number);
    // The server has one of its own from the beginning.
    const made = MANY - 1 - FEW;
    await makeMany(many, FEW, FEW + made);
    const each = (residentBytes(many.child.pid as number) - before) / made / 1024;
    return [
      ...ticks,
      row(`${MANY} machines, each with an armed timer: memory of each`, each, 'KiB', { better: 'lower', target: 24 }),
      ...(await alternate(few, many)),
    ];
  } finally {
    await Promise.all([few.stop(), many.stop()]);
  }
}

/** Measured twice in each round. */
async function atOneKilohertz(server: ServerProcess): Promise<Row[]> {
  await lateness(server, 'm0', WARM_UP_MS);
  const halves: Awaited<ReturnType<typeof lateness>>[] = [];
  for (let half = 0; half < 2 * ROUNDS; half++) halves.push(await lateness(server, 'm0', ROUND_MS));
  return ([50, 99] as const).flatMap((percentile) => {
    const all = halves.map((half) => half.percentile(percentile) / 1000);
    const [first, second] = [0, 1].map((odd) => all.filter((_, index) => index % 2 === odd));
    const self = selfRow(`p${percentile} to itself`, 'µs', 'lower', first, second);
    const claim = { better: 'lower', target: percentile === 50 ? 100 : 300, spread: self.spread } as const;
    return [row(`timer at 1 kHz on an idle machine: lateness p${percentile}`, median(all), 'µs', claim), self.row];
  });
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
  const self = selfRow(`${FEW} machines to themselves`, 'µs', 'lower', first, second);
  return [
    row(`${MANY} machines: timer lateness p50, to that of ${FEW}`, median(own), 'µs', {
      better: 'lower',
      target: 2,
      baseline,
      spread: self.spread,
    }),
    self.row,
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
