import { type Row, row } from './rows.js';
import { request } from './wire/api.js';
import { processorSeconds, residentBytes } from './wire/process.js';
import { ServerProcess } from './wire/server.js';

const STARTS = 5;
/** After some seconds the garbage of the start is collected. */
const SETTLE_MS = 15_000;
const IDLE_MS = 10_000;

/** A server with default settings that nobody uses. */
export async function rows(): Promise<Row[]> {
  const starts: number[] = [];
  let idle: { memory: number; share: number } | undefined;
  for (let start = 0; start < STARTS; start++) {
    const begin = performance.now();
    const server = await ServerProcess.southbridge();
    await request('GET', `${server.url}/readyz`);
    starts.push((performance.now() - begin) / 1000);
    if (start === STARTS - 1) idle = await watch(server.child.pid as number);
    await server.stop();
  }
  const { memory, share } = idle as { memory: number; share: number };
  const ready = starts.sort((a, b) => a - b)[STARTS >> 1];
  return [
    row('idle server: ready after its start', ready, 's', { better: 'lower', target: 1 }),
    row('idle server: resident memory', memory / 2 ** 20, 'MiB', { better: 'lower', target: 130 }),
    row('idle server: processor', share * 100, '% of a core', { better: 'lower', target: 1 }),
  ];
}

async function watch(pid: number) {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const before = processorSeconds(pid);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return { memory: residentBytes(pid), share: (processorSeconds(pid) - before) / (IDLE_MS / 1000) };
}
