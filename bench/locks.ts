import { PRESETS } from '../src/core/locking/presets.js';
import type { MachineHost } from '../src/core/machine/host.js';
import { Machine } from '../src/core/machine/machine.js';
import { SharedMemory } from '../src/core/memory/shared-memory.js';
import { DEVICE } from '../src/core/sync/lock-names.js';
import { type Locks, lockAddress } from '../src/core/sync/locks.js';
import { barging } from '../src/core/sync/mutex.js';
import type { Statistics } from '../src/core/sync/statistics.js';
import { Thread } from '../src/core/sync/thread.js';
import { machineAt, sharedMap } from '../src/runtime/memory/shared-map.js';
import { ThreadStatistics } from '../src/runtime/statistics/thread-statistics.js';
import { median, ROUNDS } from './measure.js';
import { type Row, ratioRows, row } from './rows.js';

/**
 * What an uncontended lock + unlock costs: the bare mutex, the lock with the default statistics and with exact ones,
 * alternately in one run.
 */
const TIMES = 10_000_000;
/** ns */
const LARGEST = 40;
const LARGEST_RATIO = 2;
const THREAD = 3;

const map = sharedMap({ machines: 2, vcpuThreads: 1, submissions: 16, events: 1024, statisticsSlots: 2 });
const buffer = new SharedArrayBuffer(map.words * 4);

const host: MachineHost = {
  events: { emit: () => 0, hasRoom: () => true, admits: () => true },
  kickMainLoop() {},
  kickVcpu() {},
  kickLoad() {},
};

/** The locks of a machine in `slot`, as a thread with these statistics has them. */
function locksWith(statistics: Statistics, slot: number): Locks {
  const thread = new Thread(THREAD, new SharedMemory(buffer), statistics);
  const machine = new Machine(new SharedMemory(buffer), thread, host);
  machine.create(machineAt(map, slot), {
    slot,
    design: PRESETS['lockless-timer'],
    clock: 'manual',
    hpet: { timers: 3, msi: false, routingCapability: 0xff_ffff },
    ioapic: { version: 0x20, id: 0 },
    quirks: 0,
    generationCheck: true,
    countOverlap: false,
    statistics: { slot, exact: slot === 1 },
  });
  return machine.locks;
}

function bareMutex(times: number): void {
  const memory = new SharedMemory(buffer, machineAt(map, 0));
  const address = lockAddress(DEVICE);
  for (let i = 0; i < times; i++) {
    barging.tryAcquire(memory, address, THREAD);
    barging.release(memory, address);
  }
}

function repeated(locks: Locks): (times: number) => void {
  return (times) => {
    for (let i = 0; i < times; i++) {
      locks.acquire(DEVICE);
      locks.release(DEVICE);
    }
  };
}

/** One kind of statistics per process, as in production. */
function withStatistics(slot: number): (times: number) => void {
  return repeated(locksWith(new ThreadStatistics(buffer, map, THREAD), slot));
}

const VARIANTS: readonly { readonly name: string; readonly run: (times: number) => void }[] = [
  { name: 'bare mutex', run: bareMutex },
  { name: 'default statistics', run: withStatistics(0) },
  { name: 'exact statistics', run: withStatistics(1) },
  { name: 'bare mutex again', run: bareMutex },
];

function nanosecondsPerTime(run: (times: number) => void): number {
  const start = process.hrtime.bigint();
  run(TIMES);
  return Number(process.hrtime.bigint() - start) / TIMES;
}

export async function rows(): Promise<Row[]> {
  const results = VARIANTS.map((): number[] => []);
  for (const { run } of VARIANTS) run(Math.min(TIMES, 1_000_000));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { run }] of VARIANTS.entries()) results[index].push(nanosecondsPerTime(run));
  }
  const [first, standard, exact, second] = results;
  const bare = { first, second };
  const lower = { better: 'lower' } as const;
  return [
    row('uncontended lock + unlock, bare mutex', median(first), 'ns', lower),
    row('uncontended lock + unlock, default statistics', median(standard), 'ns', { ...lower, target: LARGEST }),
    ...ratioRows(
      'uncontended lock + unlock, default statistics, to the bare mutex',
      'ns',
      { ...lower, target: LARGEST_RATIO },
      standard,
      bare,
    ),
    row('uncontended lock + unlock, exact statistics', median(exact), 'ns', { ...lower, baseline: median(first) }),
  ];
}
