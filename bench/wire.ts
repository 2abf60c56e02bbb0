import { HPET_BASE, IOAPIC_BASE } from '../src/core/devices/guest-map.js';
import { MAIN_COUNTER } from '../src/core/devices/hpet/registers.js';
import { IOWIN } from '../src/core/devices/ioapic/registers.js';
import { U64 } from '../src/core/memory/u64.js';
import type { Access } from '../src/protocol/client-message.js';
import { protoClientCodec } from '../src/protocol/protobuf/client-codec.js';
import { alternate, measure, median, ROUNDS } from './measure.js';
import { OneThread, running } from './one-thread.js';
import { type Row, ratioRows, row } from './rows.js';
import { request } from './wire/api.js';
import { Lanes } from './wire/lanes.js';
import { Qtest } from './wire/qtest.js';
import { ServerProcess } from './wire/server.js';

/**
 * Round trips to a server with default settings, against those to a raw `ws` server that sends the same bytes back, over
 * as many connections with as much in flight. The rounds alternate; the baseline is measured twice in each, and half of
 * what lies between the quartiles of its ratio to itself is what a ratio may miss its target by.
 */
const ROUND_MS = 250;
/** Both sides are compiled as they run: on a busy machine that takes seconds. */
const WARM_UP_MS = 3000;
const BATCH = 64;

const read = (address: number, size: number): Access => ({
  write: false,
  posted: false,
  address,
  size,
  low: 0,
  high: 0,
});
const write = (address: number, low: number): Access => ({
  write: true,
  posted: false,
  address,
  size: 4,
  low,
  high: 0,
});

const COUNTER = read(HPET_BASE + MAIN_COUNTER, 8);
/** General capabilities, configuration and status; timer 0's configuration. */
const REGISTERS = [0x000, 0x010, 0x020, 0x100];
/** What IOWIN reads and writes: the low half of a redirection entry, which stays masked. */
const MASKED = 0x0001_0030;

/** 48 counter reads, 12 reads of configuration or status, 4 writes of a redirection entry. */
const mixed: readonly Access[] = Array.from({ length: BATCH }, (_, index) => {
  if (index % 16 === 15) return write(IOAPIC_BASE + IOWIN, MASKED);
  if (index % 16 >= 12) return read(HPET_BASE + REGISTERS[index % 4], 8);
  return COUNTER;
});

const single = protoClientCodec.encode({ type: 'access', id: 1, access: COUNTER }) as Uint8Array;
const batch = protoClientCodec.encode({ type: 'batch', id: 1, accesses: mixed }) as Uint8Array;
const select = protoClientCodec.encode({ type: 'access', id: 1, access: write(IOAPIC_BASE, 0x10) }) as Uint8Array;

interface Shape {
  readonly name: string;
  readonly frame: Uint8Array;
  readonly connections: number;
  readonly depth: number;
  readonly figure: 'latency' | 'rate';
  readonly target?: number;
  /** Whether the driver has a system call for each frame, as `ws` has by itself. */
  readonly apart?: boolean;
  /** What a frame holds. */
  readonly accesses: readonly Access[];
}

const SINGLES: readonly Shape[] = [
  {
    name: '1 connection, 1 access in flight: p50',
    connections: 1,
    depth: 1,
    figure: 'latency',
    target: 1.05,
    frame: single,
    accesses: [COUNTER],
  },
  {
    name: '1 connection, 32 accesses in flight',
    connections: 1,
    depth: 32,
    figure: 'rate',
    target: 0.9,
    frame: single,
    accesses: [COUNTER],
  },
  {
    name: '8 connections, 32 accesses in flight each',
    connections: 8,
    depth: 32,
    figure: 'rate',
    target: 0.8,
    frame: single,
    accesses: [COUNTER],
  },
  {
    // Without a target: the driver's system calls fill one core, whatever the server does.
    name: '8 connections, 32 accesses in flight each, each sent by itself',
    connections: 8,
    depth: 32,
    figure: 'rate',
    apart: true,
    frame: single,
    accesses: [COUNTER],
  },
];
const FRAMES: Shape = {
  name: 'frames of 64, 4 connections, 8 in flight each',
  connections: 4,
  depth: 8,
  figure: 'rate',
  target: 0.75,
  frame: batch,
  accesses: mixed,
};
const ACCESSES_PER_SECOND = 1.5e6;

export async function rows(): Promise<Row[]> {
  const cost = batchCost();
  const [ours, echo, spending, qtest] = await Promise.all([
    ServerProcess.southbridge(),
    ServerProcess.echo(),
    ServerProcess.echo(cost),
    Qtest.start(),
  ]);
  try {
    const result: Row[] = [];
    for (const shape of SINGLES) result.push(...(await compare(shape, ours, echo, 'raw ws echo', qtest)));
    const worked = await compare(FRAMES, ours, spending, 'echo that spends as long in process', qtest);
    const bare = await compare({ ...FRAMES, target: undefined }, ours, echo, 'raw ws echo');
    result.push(
      row('frames of 64: cost in process', cost, 'ns', { better: 'lower' }),
      ...worked,
      row('frames of 64: accesses', worked[0].value * BATCH, '1/s', { better: 'higher', target: ACCESSES_PER_SECOND }),
      ...bare,
      ...(await underLoad(ours)),
    );
    return result;
  } finally {
    await Promise.all([ours.stop(), echo.stop(), spending.stop(), qtest?.stop()]);
  }
}

/** Lanes to a machine that is made for them, with IOREGSEL at a redirection entry. */
async function lanesTo(
  server: ServerProcess,
  { connections, frame, apart }: Shape,
  config: object = {},
): Promise<Lanes> {
  const name = `m${connections}-${Math.random().toString(36).slice(2, 8)}`;
  await request('POST', `${server.url}/v1/machines`, { name, vcpus: connections, ...config });
  const vcpu = (n: number) => `${server.url.replace('http', 'ws')}/v1/machines/${name}/vcpus/${n}`;
  const chosen = await Lanes.open([vcpu(0)], select, true);
  await chosen.run(1, 0);
  await chosen.close();
  const urls = Array.from({ length: connections }, (_, n) => vcpu(n));
  return Lanes.open(urls, frame, true, apart);
}

async function compare(
  shape: Shape,
  ours: ServerProcess,
  echo: ServerProcess,
  against: string,
  qtest?: Qtest,
): Promise<Row[]> {
  const { connections, frame, apart } = shape;
  const baseline = await Lanes.open(
    Array.from({ length: connections }, () => echo.url),
    frame,
    false,
    apart,
  );
  const third = await qtestFigure(shape, qtest);
  return takeTurns(shape, await lanesTo(ours, shape), baseline, against, third);
}

/** One connection is all that qtest has: it carries what the others do together. */
async function qtestFigure(
  { connections, depth, figure, accesses }: Shape,
  qtest?: Qtest,
): Promise<number | undefined> {
  if (!qtest) return undefined;
  await qtest.once([write(IOAPIC_BASE, 0x10)]);
  const rounds: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const { perSecond, latency } = await qtest.run(accesses, connections * depth, ROUND_MS);
    if (round >= 0) rounds.push(figure === 'rate' ? perSecond : latency.percentile(50));
  }
  return median(rounds);
}

/** Takes turns between what is measured and what it is measured against, which has two turns to one. */
async function takeTurns(
  { name, depth, figure, target }: Shape,
  lanes: Lanes,
  baseline: Lanes,
  against: string,
  qtest?: number,
): Promise<Row[]> {
  const measured = async (which: Lanes) => {
    const { perSecond, latency } = await which.run(depth, ROUND_MS);
    return figure === 'rate' ? perSecond : latency.percentile(50);
  };
  for (const which of [lanes, baseline]) await which.run(depth, WARM_UP_MS);
  const { own, ...base } = await alternate(
    () => measured(baseline),
    () => measured(lanes),
  );
  await Promise.all([lanes.close(), baseline.close()]);
  const better = figure === 'rate' ? ('higher' as const) : ('lower' as const);
  const unit = figure === 'rate' ? 'round trips/s' : 'ns';
  return ratioRows(`${name}, to ${against}`, unit, { better, target, qtest }, own, base);
}

/** A main loop that holds the BQL for 200 µs of each millisecond, in which no vCPU of this design needs it. */
async function underLoad(server: ServerProcess): Promise<Row[]> {
  const shape = { ...FRAMES, name: 'frames of 64, lockless-irq, BQL held 200 µs of each ms', target: 0.9 };
  const locking = 'lockless-irq';
  const load = { duty: 0.2, hold: '200000', mode: 'sleep' };
  const loaded = await lanesTo(server, shape, { locking, bql: { load } });
  const free = await lanesTo(server, shape, { locking });
  return takeTurns(shape, loaded, free, 'the same without');
}

/** Nanoseconds that the accesses of one frame take on the thread that carries them out. */
function batchCost(): number {
  const machine = running(new OneThread(1), 0, 'lockless-timer');
  const value = new U64();
  machine.write(IOAPIC_BASE, 4, value.set(0x10, 0));
  return measure(() => {
    for (const access of mixed) {
      if (access.write) machine.write(access.address, access.size, value.set(access.low, access.high));
      else machine.read(access.address, access.size);
    }
  });
}
