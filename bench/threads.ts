import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { HPET_BASE } from '../src/core/devices/guest-map.js';
import { MAIN_COUNTER } from '../src/core/devices/hpet/registers.js';
import { PROFILES, quirkBits } from '../src/core/devices/quirks.js';
import { PRESETS } from '../src/core/locking/presets.js';
import { SharedMemory } from '../src/core/memory/shared-memory.js';
import { barging } from '../src/core/sync/mutex.js';
import { summary } from '../src/lab/compare/summary.js';
import { Engine } from '../src/runtime/engine.js';
import { Request } from '../src/runtime/rings/requests.js';
import { READ } from '../src/runtime/rings/submission-ring.js';
import { measureAsync } from './measure.js';
import { type Measured, print, saveResults } from './results.js';

/** What it costs to go to another thread, and to wait for one. */

const LOCK = 0;
const GO = 16;
const READY = 32;
const DONE = 48;
/** Acquisitions that found the lock taken, and how many of them parked. */
const CONTENDED = 64;
const PARKED = 80;
/** Protected by the lock. */
const SHARED = 96;
const SECTIONS = 100_000;
const THREADS = 2;
const ROUNDS = 9;

interface Contender {
  readonly buffer: SharedArrayBuffer;
  readonly looks: number;
  readonly id: number;
}

/** Looks a given number of times before it parks. */
class LookingMemory extends SharedMemory {
  constructor(
    buffer: SharedArrayBuffer,
    readonly looks: number,
  ) {
    super(buffer);
  }

  override spin(address: number, value: number): void {
    for (let look = 0; look < this.looks && this.load(address) === value; look++);
  }
}

/** Takes the lock for short sections, as often as every other contender. */
function contend({ buffer, looks, id }: Contender): void {
  const memory = new LookingMemory(buffer, looks);
  let contended = 0;
  let parked = 0;
  let hasParked = false;
  const waiter = {
    beforeBlocking: () => {
      hasParked = true;
      return false;
    },
    afterBlocking: () => {},
    stillBlocked: () => {},
  };
  for (let round = 1; round <= ROUNDS + 1; round++) {
    memory.add(READY, 1);
    memory.notify(READY, 1);
    while (memory.load(GO) < round) memory.wait(GO, round - 1);
    for (let i = 0; i < SECTIONS; i++) {
      if (!barging.tryAcquire(memory, LOCK, id)) {
        hasParked = false;
        barging.acquire(memory, LOCK, id, waiter);
        contended++;
        if (hasParked) parked++;
      }
      for (let word = 0; word < 8; word++) memory.set(SHARED + word, memory.get(SHARED + word) + 1);
      barging.release(memory, LOCK);
    }
    memory.add(CONTENDED, contended);
    memory.add(PARKED, parked);
    contended = parked = 0;
    memory.add(DONE, 1);
    memory.notify(DONE, 1);
  }
}

/** Two threads want the lock all the time. */
async function contention(looks: number): Promise<{ section: Measured; parked: Measured }> {
  const buffer = new SharedArrayBuffer(4096);
  const memory = new SharedMemory(buffer);
  const workers = Array.from(
    { length: THREADS },
    (_, i) => new Worker(new URL(import.meta.url), { workerData: { buffer, looks, id: i + 1 } satisfies Contender }),
  );
  // Workers start only while this thread runs its event loop.
  await Promise.all(workers.map((worker) => new Promise((online) => worker.once('online', online))));
  const times: number[] = [];
  for (let round = 1; round <= ROUNDS + 1; round++) {
    await reached(memory, READY, round * THREADS);
    const begin = process.hrtime.bigint();
    memory.store(GO, round);
    memory.notify(GO, THREADS);
    await reached(memory, DONE, round * THREADS);
    times.push(Number(process.hrtime.bigint() - begin) / (SECTIONS * THREADS));
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  const parked = (100 * memory.load(PARKED)) / memory.load(CONTENDED);
  return { section: { ...summary(times.slice(1)), unit: 'ns' }, parked: { median: parked, unit: '%' } };
}

async function reached(memory: SharedMemory, address: number, count: number): Promise<void> {
  for (let now = memory.load(address); now < count; now = memory.load(address)) await memory.waitAsync(address, now);
}

/** Microseconds from a submission to its answer, one at a time. */
async function roundTrip(execution: 'auto' | 'threads'): Promise<Measured> {
  const engine = new Engine({ vcpuThreads: 1, machines: 1, execution });
  await engine.start();
  engine.slot(0).create(
    {
      slot: 0,
      design: PRESETS['lockless-timer'],
      clock: 'realtime',
      hpet: { timers: 3, msi: false, routingCapability: 0x00ff_0104 },
      ioapic: { version: 0x20, id: 0 },
      quirks: quirkBits(PROFILES.standard),
      generationCheck: true,
      countOverlap: false,
    },
    () => {},
  );
  const address = HPET_BASE + MAIN_COUNTER;
  const read = () =>
    new Promise<void>((answered) =>
      engine.slot(0).perform(new Request(0, 0, READ, 8, address, 0, 0, () => answered())),
    );
  const time = await measureAsync(2000, read);
  await engine.close();
  return time;
}

async function main(): Promise<void> {
  print('From the gateway to a main counter read and back, one at a time', {
    'round trip inline': await roundTrip('auto'),
    'round trip by a vCPU thread': await roundTrip('threads'),
  });
  const rows: { [name: string]: Measured } = {};
  for (const looks of [0, 50, 200, 500, 2000]) {
    const { section, parked } = await contention(looks);
    rows[`contended section, ${looks} checks before parking`] = section;
    rows[`parked of the contended acquisitions, ${looks} checks`] = parked;
  }
  print('Short sections under one mutex that two threads want all the time', rows);
  saveResults('node dist/bench/threads.js');
}

if (isMainThread) await main();
else contend(workerData as Contender);
