import { once } from 'node:events';
import {
  GENERAL_CONFIGURATION,
  INT_ENB_CNF,
  INT_TYPE_CNF,
  TIMER_BLOCKS,
  TYPE_CNF,
  VAL_SET_CNF,
} from '../src/core/devices/hpet/registers.js';
import { TestServer } from '../test/support/server.js';
import { ROUNDS } from './measure.js';
import { absoluteRows, type Row, row } from './rows.js';

/** How soon a deadlock of real threads is named, and whether the server answers while they hang: twice in each round. */

const HPET = 0xfed0_0000;
const IDLE = (16 << 9) | INT_TYPE_CNF | TYPE_CNF;
const LIMIT_MS = 100;
const PATHS = ['/healthz', '/metrics', '/v1/machines/m/deadlocks', '/v1/machines/m/locks'];

const hex = (value: number) => `0x${value.toString(16)}`;
const now = () => Number(process.hrtime.bigint()) / 1e6;

interface Hang {
  /** ms from the moment at which the last thread of the cycle began to wait to the report in a client's hands. */
  readonly named: number;
  /** Slowest answer in ms, by path, while the threads hang. */
  readonly answers: ReadonlyMap<string, number>;
}

/** Lets two threads of a machine deadlock for good, and deletes it. */
async function hangOnce(server: TestServer): Promise<Hang> {
  const created = await server.request('POST', '/v1/machines', {
    name: 'm',
    locking: 'nested-mutex',
    onDeadlock: 'hang',
    vcpus: 2,
    bql: { load: { duty: 0.5, hold: '2000000' } },
  });
  if (created.status !== 201) throw new Error(`no machine: ${JSON.stringify(created.body)}`);
  const vcpu = await server.connect('m', 0);
  const write = (offset: number, value: number) =>
    vcpu.request({ type: 'write', address: hex(HPET + offset), size: 8, value: hex(value) }).catch(() => {});
  await write(TIMER_BLOCKS, IDLE | VAL_SET_CNF);
  await write(TIMER_BLOCKS + 8, 10_000);
  await write(GENERAL_CONFIGURATION, 1);

  let report: { at: number; threads: { waited: number }[] } | undefined;
  let seen = 0;
  const stop = new AbortController();
  const stopped = once(stop.signal, 'abort');
  const hammer = (async () => {
    while (!stop.signal.aborted) {
      for (let count = 0; count < 100; count++) {
        write(TIMER_BLOCKS, IDLE | INT_ENB_CNF);
        write(TIMER_BLOCKS, IDLE);
      }
      await Promise.race([vcpu.request({ type: 'sync' }).catch(() => {}), stopped]);
    }
  })();
  while (!report) {
    const { deadlocks } = await server.get('/v1/machines/m/deadlocks');
    report = deadlocks.at(-1);
    seen = now();
  }
  stop.abort();
  await hammer;
  const closed = report.at / 1e6 - Math.min(...report.threads.map(({ waited }) => waited)) / 1e6;

  const answers = new Map<string, number>();
  for (let request = 0; request < 20; request++) {
    for (const path of PATHS) {
      const begin = now();
      await server.get(path);
      answers.set(path, Math.max(answers.get(path) ?? 0, now() - begin));
    }
  }
  const deleted = await server.request('DELETE', '/v1/machines/m');
  if (deleted.status !== 204) throw new Error(`not deleted: ${JSON.stringify(deleted.body)}`);
  return { named: seen - closed, answers };
}

export async function rows(): Promise<Row[]> {
  const server = await TestServer.start({ execution: 'threads' });
  // Loads what scrapes need, as a server does in its first second.
  await server.get('/metrics');
  const hangs: Hang[] = [];
  for (let hang = 0; hang < 2 * ROUNDS; hang++) hangs.push(await hangOnce(server));
  await server.stop();
  const claim = { better: 'lower', target: LIMIT_MS } as const;
  const both = (name: string, figure: (hang: Hang) => number) => {
    const all = hangs.map(figure);
    const [first, second] = [0, 1].map((half) => all.filter((_, index) => index % 2 === half));
    return [
      ...absoluteRows(`${name}, median`, 'ms', claim, { first, second }),
      row(`${name}, slowest`, Math.max(...all), 'ms', claim),
    ];
  };
  return [
    ...both('deadlock: last thread blocked to report in a client', ({ named }) => named),
    ...PATHS.flatMap((path) => both(`while threads hang: ${path}`, ({ answers }) => answers.get(path) ?? Number.NaN)),
  ];
}
