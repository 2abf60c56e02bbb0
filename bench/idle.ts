import { ROUNDS, twice } from './measure.js';
import { absoluteRows, type Row, type Twice } from './rows.js';
import { request } from './wire/api.js';
import { processorSeconds, residentBytes } from './wire/process.js';
import { ServerProcess } from './wire/server.js';

/** After some seconds the garbage of the start is collected. */
const SETTLE_MS = 15_000;
const ROUND_MS = 2000;

/** Servers with default settings that nobody uses: of two at once, which are started and watched in nine rounds. */
export async function rows(): Promise<Row[]> {
  const starts = await twice(startTime);
  const memory: [number[], number[]] = [[], []];
  const processor: [number[], number[]] = [[], []];
  const servers = [await ServerProcess.southbridge(), await ServerProcess.southbridge()];
  const pids = servers.map(({ child }) => child.pid as number);
  await pause(SETTLE_MS);
  for (let round = 0; round < ROUNDS; round++) {
    const before = pids.map(processorSeconds);
    await pause(ROUND_MS);
    for (const [index, pid] of pids.entries()) {
      processor[index].push(((processorSeconds(pid) - before[index]) / ROUND_MS) * 1e5);
      memory[index].push(residentBytes(pid) / 2 ** 20);
    }
  }
  for (const server of servers) await server.stop();
  return [
    ...figure('ready after its start', 's', 1, starts),
    ...figure('resident memory', 'MiB', 130, ofBoth(memory)),
    ...figure('processor', '% of a core', 1, ofBoth(processor)),
  ];
}

const ofBoth = ([first, second]: readonly [number[], number[]]): Twice => ({ first, second });

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Seconds from the start of a server until it says that it is ready. */
async function startTime(): Promise<number> {
  const begin = performance.now();
  const server = await ServerProcess.southbridge();
  await request('GET', `${server.url}/readyz`);
  const ready = (performance.now() - begin) / 1000;
  await server.stop();
  return ready;
}

function figure(what: string, unit: string, target: number, figures: Twice): Row[] {
  return absoluteRows(`idle server: ${what}`, unit, { better: 'lower', target }, figures);
}
