import { createHistogram } from 'node:perf_hooks';
import { WebSocket } from 'ws';
import { besideHostile } from './hostile-timers.js';
import { alternate, ROUNDS, twice } from './measure.js';
import { absoluteRows, type Row, ratioRows, row, selfRow } from './rows.js';
import { inParallel, makeTicking } from './wire/api.js';
import { residentBytes } from './wire/process.js';
import { ServerProcess } from './wire/server.js';

/** Ticks of the main counter in a second (10 ns each). */
const SECOND = 100_000_000;
const FEW = 10;
const MANY = 10_000;

const ROUND_MS = 500;
const WARM_UP_MS = 1000;

/** How late timers are at 1 kHz, and with very many machines; and what each machine takes. */
export async function rows(): Promise<Row[]> {
  const [few, many] = await Promise.all([
    ServerProcess.southbridge(),
    // It has one of its own from the beginning.
    ServerProcess.southbridge('--set', `limits.machines=${MANY + 1}`),
  ]);
  try {
    await makeTicking(few.url, 'm0', SECOND / 1000);
    const ticks = await atOneKilohertz(few);
    const hostile = await besideHostile();
    await makeMany(few, 1, FEW);
    await makeTicking(many.url, 'm0', SECOND / 1000);
    await makeMany(many, 1, FEW);
    return [...ticks, ...hostile, ...(await memoryOfEach(many)), ...(await compare(few, many))];
  } finally {
    await Promise.all([few.stop(), many.stop()]);
  }
}

/** Measured twice in each round. */
async function atOneKilohertz(server: ServerProcess): Promise<Row[]> {
  await lateness(server, 'm0', WARM_UP_MS);
  const { first, second } = await twice(() => lateness(server, 'm0', ROUND_MS));
  return ([50, 99] as const).flatMap((percentile) => {
    const of = (histograms: typeof first) => histograms.map((histogram) => histogram.percentile(percentile) / 1000);
    const claim = { better: 'lower', target: percentile === 50 ? 100 : 300 } as const;
    const name = `timer at 1 kHz on an idle machine: lateness p${percentile}`;
    return absoluteRows(name, 'µs', claim, { first: of(first), second: of(second) });
  });
}

/** Goes from few machines to many, and tells how the memory of every other lot of them differs from that of the others. */
async function memoryOfEach(server: ServerProcess): Promise<Row[]> {
  const lot = (MANY - FEW) / (2 * ROUNDS);
  const resident = () => residentBytes(server.child.pid as number) / 1024;
  const begin = resident();
  let made = FEW;
  const lots = await twice(async () => {
    const before = resident();
    await makeMany(server, made, made + lot);
    made += lot;
    return (resident() - before) / lot;
  });
  const each = (resident() - begin) / (made - FEW);
  const name = `${made} machines, each with an armed timer: memory of each`;
  return [row(name, each, 'KiB', { better: 'lower', target: 24 }), selfRow(name, 'KiB', 'lower', lots)];
}

async function compare(few: ServerProcess, many: ServerProcess): Promise<Row[]> {
  const p50 = async (server: ServerProcess) => (await lateness(server, 'm0', ROUND_MS)).percentile(50) / 1000;
  const { own, ...base } = await alternate(
    () => p50(few),
    () => p50(many),
  );
  const name = `${MANY} machines: timer lateness p50, to that of ${FEW}`;
  return ratioRows(name, 'µs', { better: 'lower', target: 2 }, own, base);
}

async function makeMany(server: ServerProcess, from: number, to: number): Promise<void> {
  const names = Array.from({ length: to - from }, (_, index) => `m${from + index}`);
  await inParallel(names, (name) => makeTicking(server.url, name, 2 * SECOND));
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
