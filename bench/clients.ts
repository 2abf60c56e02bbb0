import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { WebSocket } from 'ws';
import { Vcpu } from '../src/client/index.js';
import { HPET_BASE } from '../src/core/devices/guest-map.js';
import { MAIN_COUNTER } from '../src/core/devices/hpet/registers.js';
import { alternate, median } from './measure.js';
import { absoluteRows, type Row, ratioRows } from './rows.js';
import { ServerProcess } from './wire/server.js';

/** The blocking client against the promise client, alternating: one read at a time, and batches; and a poll that finds nothing. */
const ROUND_MS = 250;
/** Rounds in which everything is compiled. */
const WARM_UP = 4;
const BATCH = 16;
const POLL_ROUNDS = 5;
const ADDRESS = HPET_BASE + MAIN_COUNTER;

interface Figures {
  readonly p50: number;
  readonly perSecond: number;
}

export async function rows(): Promise<Row[]> {
  const server = await ServerProcess.southbridge();
  const vcpu = await Vcpu.connect(server.url, 'default', 1, { WebSocket: WebSocket as never });
  const worker = new Worker(new URL('./wire/blocking-driver.js', import.meta.url), {
    workerData: { url: server.url, batch: BATCH },
  });
  await once(worker, 'message');
  const blocking = async (what: 'single' | 'batch' | 'poll'): Promise<Figures> => {
    worker.postMessage({ what, ms: ROUND_MS });
    const [figures] = await once(worker, 'message');
    return figures;
  };
  const result: Row[] = [];
  for (const what of ['single', 'batch'] as const) {
    const figure = what === 'single' ? 'p50' : 'perSecond';
    const { own, ...base } = await alternate(
      async () => (await promises(vcpu, what))[figure],
      async () => (await blocking(what))[figure],
      { warmUp: WARM_UP },
    );
    const claim =
      what === 'single' ? ({ better: 'lower', target: 1.5 } as const) : ({ better: 'higher', target: 0.7 } as const);
    const name = `blocking client, ${what === 'single' ? 'one read at a time, p50' : `batches of ${BATCH}`}, to the promise client`;
    const unit = what === 'single' ? 'ns' : 'accesses/s';
    result.push(...ratioRows(name, unit, claim, own, base));
  }
  const polls: number[] = [];
  for (let round = 0; round < WARM_UP + 2 * POLL_ROUNDS; round++) polls.push((await blocking('poll')).p50);
  const [first, second] = [polls.slice(WARM_UP, -POLL_ROUNDS), polls.slice(-POLL_ROUNDS)];
  result.push(...absoluteRows('blocking client, poll()', 'ns', { better: 'lower', target: 1000 }, { first, second }));
  vcpu.close();
  await worker.terminate();
  await server.stop();
  return result;
}

async function promises(vcpu: Vcpu, what: 'single' | 'batch'): Promise<Figures> {
  const durations: number[] = [];
  const accesses = Array.from({ length: BATCH }, () => ({ address: ADDRESS, size: 8 }));
  const begin = performance.now();
  let count = 0;
  for (let now = begin; now < begin + ROUND_MS; ) {
    if (what === 'single') await vcpu.read(ADDRESS, 8);
    else await vcpu.batch(accesses);
    count += what === 'single' ? 1 : BATCH;
    const after = performance.now();
    durations.push((after - now) * 1e6);
    now = after;
  }
  return { p50: median(durations), perSecond: (count / (performance.now() - begin)) * 1000 };
}
