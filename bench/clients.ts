import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { WebSocket } from 'ws';
import { Vcpu } from '../src/client/index.js';
import { HPET_BASE, MAIN_COUNTER } from '../src/devices/hpet/registers.js';
import { median } from './measure.js';
import { type Row, row, selfRow } from './rows.js';
import { ServerProcess } from './wire/server.js';

/** The blocking client against the promise client, alternating: one read at a time, and batches. */
const ROUNDS = 9;
const ROUND_MS = 250;
/** Rounds in which everything is compiled. */
const WARM_UP = 4;
const BATCH = 16;
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
  const blocking = async (what: 'single' | 'batch'): Promise<Figures> => {
    worker.postMessage({ what, ms: ROUND_MS });
    const [figures] = await once(worker, 'message');
    return figures;
  };
  const result: Row[] = [];
  for (const what of ['single', 'batch'] as const) {
    const figure = what === 'single' ? 'p50' : 'perSecond';
    const own: number[] = [];
    const first: number[] = [];
    const second: number[] = [];
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      const before = await promises(vcpu, what);
      const between = await blocking(what);
      const after = await promises(vcpu, what);
      if (round < 0) continue;
      first.push(before[figure]);
      own.push(between[figure]);
      second.push(after[figure]);
    }
    const baseline = median(first.map((value, index) => (value + second[index]) / 2));
    const claim =
      what === 'single' ? ({ better: 'lower', target: 2 } as const) : ({ better: 'higher', target: 0.7 } as const);
    const name = what === 'single' ? 'one read at a time, p50' : `batches of ${BATCH}`;
    const unit = what === 'single' ? 'ns' : 'accesses/s';
    const self = selfRow('the promise client to itself', unit, claim.better, first, second);
    result.push(
      row(`blocking client, to the promise client: ${name}`, median(own), unit, {
        ...claim,
        baseline,
        spread: self.spread,
      }),
      self.row,
    );
  }
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
