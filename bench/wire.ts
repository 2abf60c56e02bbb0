import { HPET_BASE, MAIN_COUNTER } from '../src/devices/hpet/registers.js';
import { IOAPIC_BASE, IOWIN } from '../src/devices/ioapic/registers.js';
import { U64 } from '../src/memory/u64.js';
import type { Access } from '../src/wire/client-message.js';
import { protoClientCodec } from '../src/wire/proto/client-codec.js';
import { halfSpread, measure, median } from './measure.js';
import { OneThread, running } from './one-thread.js';
import { type Row, row } from './rows.js';
import { Lanes } from './wire/lanes.js';
import { ServerProcess } from './wire/server.js';

/**
 * Round trips to a server with default settings, against those to a raw `ws` server that sends the same bytes back, over
 * as many connections with as much in flight. The rounds alternate; the baseline is measured twice in each, and half of
 * what lies between the quartiles of its ratio to itself is what a ratio may miss its target by.
 */
const ROUNDS = 9;
const ROUND_MS = 250;
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
  readonly target: number;
}

const SINGLES: readonly Shape[] = [
  {
    name: '1 connection, 1 access in flight: p50',
    connections: 1,
    depth: 1,
    figure: 'latency',
    target: 1.1,
    frame: single,
  },
  { name: '1 connection, 32 accesses in flight', connections: 1, depth: 32, figure: 'rate', target: 1, frame: single },
  {
    name: '16 connections, 32 accesses in flight each',
    connections: 16,
    depth: 32,
    figure: 'rate',
    target: 1,
    frame: single,
  },
];
const FRAMES: Shape = {
  name: 'frames of 64, 4 connections, 8 in flight each',
  connections: 4,
  depth: 8,
  figure: 'rate',
  target: 0.75,
  frame: batch,
};
const ACCESSES_PER_SECOND = 1.5e6;

export async function rows(): Promise<Row[]> {
  const cost = batchCost();
  const [ours, echo, spending] = await Promise.all([
    ServerProcess.southbridge(),
    ServerProcess.echo(),
    ServerProcess.echo(cost),
  ]);
  try {
    const result: Row[] = [];
    for (const shape of SINGLES) result.push(...(await compare(shape, ours, echo)).rows);
    const worked = await compare(FRAMES, ours, spending, `echo that spends ${(cost / 1000).toFixed(1)} µs`);
    const bare = await compare({ ...FRAMES, target: 0 }, ours, echo, 'bare echo');
    result.push(
      ...worked.rows,
      row('frames of 64: accesses', worked.value * BATCH, '1/s', { better: 'higher', target: ACCESSES_PER_SECOND }),
      { ...bare.rows[0], target: null, ok: null },
    );
    return result;
  } finally {
    await Promise.all([ours.stop(), echo.stop(), spending.stop()]);
  }
}

async function compare(shape: Shape, ours: ServerProcess, echo: ServerProcess, against = 'raw ws echo') {
  const { connections, depth, figure, target, frame } = shape;
  const machine = `m${connections}-${depth}-${Math.random().toString(36).slice(2, 8)}`;
  const made = await fetch(`${ours.url}/v1/machines`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: machine, vcpus: connections }),
  });
  if (!made.ok) throw new Error(await made.text());
  const vcpu = (n: number) => `${ours.url.replace('http', 'ws')}/v1/machines/${machine}/vcpus/${n}`;
  const indices = Array.from({ length: connections }, (_, n) => n);
  const chosen = await Lanes.open([vcpu(0)], select, true);
  await chosen.run(1, 0);
  await chosen.close();
  const lanes = {
    ours: await Lanes.open(indices.map(vcpu), frame, true),
    echo: await Lanes.open(
      indices.map(() => echo.url),
      frame,
      false,
    ),
  };
  const measured = async (which: Lanes) => {
    const { perSecond, latency } = await which.run(depth, ROUND_MS);
    return figure === 'rate' ? perSecond : latency.percentile(50);
  };
  await measured(lanes.ours);
  await measured(lanes.echo);
  const rounds: { first: number; own: number; second: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const first = await measured(lanes.echo);
    const own = await measured(lanes.ours);
    rounds.push({ first, own, second: await measured(lanes.echo) });
  }
  await Promise.all([lanes.ours.close(), lanes.echo.close()]);
  const value = median(rounds.map(({ own }) => own));
  const baseline = median(rounds.map(({ first, second }) => (first + second) / 2));
  const spread = halfSpread(rounds.map(({ first, second }) => second / first));
  const better = figure === 'rate' ? ('higher' as const) : ('lower' as const);
  const unit = figure === 'rate' ? 'round trips/s' : 'ns';
  const self = median(rounds.map(({ second }) => second));
  return {
    value,
    rows: [
      row(`${shape.name}, to ${against}`, value, unit, { better, target, baseline, spread }),
      row(`  A/A: the echo to itself, ±${(spread * 100).toFixed(1)} %`, self, unit, {
        better,
        baseline: median(rounds.map(({ first }) => first)),
      }),
    ],
  };
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
