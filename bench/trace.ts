import { TRACE_RECORDS } from '../src/config/schema.js';
import { HPET_BASE } from '../src/core/devices/guest-map.js';
import { MAIN_COUNTER } from '../src/core/devices/hpet/registers.js';
import type { Machine } from '../src/core/machine/machine.js';
import { SharedMemory } from '../src/core/memory/shared-memory.js';
import { DEVICE } from '../src/core/sync/lock-names.js';
import { TraceView } from '../src/runtime/trace/trace-view.js';
import { median, ROUNDS } from './measure.js';
import { COMPARATOR, OneThread, running, writeHpet } from './one-thread.js';
import { type Row, ratioRows, row } from './rows.js';

/**
 * What tracing costs on the thread that does the work: where there is nothing to trace into, where it is off, and where
 * it is on, alternately in one run.
 */
const TIMES = 500_000;
/** Off may differ from not there by no more than this, and by what that differs from itself. */
const LARGEST_RATIO = 1.05;

interface Operation {
  readonly name: string;
  readonly run: (machine: Machine, times: number) => void;
}

const OPERATIONS: readonly Operation[] = [
  {
    name: 'uncontended lock + unlock',
    run: ({ locks }, times) => {
      for (let i = 0; i < times; i++) {
        locks.acquire(DEVICE);
        locks.release(DEVICE);
      }
    },
  },
  {
    name: 'main counter read',
    run: (machine, times) => {
      for (let i = 0; i < times; i++) machine.read(HPET_BASE + MAIN_COUNTER, 8);
    },
  },
  {
    name: 'comparator write',
    run: (machine, times) => {
      for (let i = 0; i < times; i++) writeHpet(machine, COMPARATOR, i, 1);
    },
  },
];

function machineWith(traceRecords: number, on: boolean): Machine {
  const laboratory = new OneThread(1, traceRecords);
  const machine = running(laboratory, 0, 'lockless-timer');
  if (on) new TraceView(new SharedMemory(laboratory.buffer), laboratory.map).turnOn(0);
  machine.select(machine.memory.base);
  return machine;
}

/** Of processor time, because a machine that others use as well would show in the clock. */
function nanoseconds({ run }: Operation, machine: Machine): number {
  const begin = process.cpuUsage();
  run(machine, TIMES);
  const { user, system } = process.cpuUsage(begin);
  return ((user + system) * 1000) / TIMES;
}

export async function rows(): Promise<Row[]> {
  const machines = [machineWith(0, false), machineWith(TRACE_RECORDS, false), machineWith(TRACE_RECORDS, true)];
  machines.push(machines[0]);
  return OPERATIONS.flatMap((operation) => {
    const results = machines.map((): number[] => []);
    for (const machine of machines) nanoseconds(operation, machine);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, machine] of machines.entries()) results[index].push(nanoseconds(operation, machine));
    }
    const [first, off, on, second] = results;
    const without = { first, second };
    const { name } = operation;
    const lower = { better: 'lower' } as const;
    return [
      row(`${name}, nothing to trace into`, median(first), 'ns', lower),
      ...ratioRows(`${name}, trace off`, 'ns', { ...lower, target: LARGEST_RATIO }, off, without),
      row(`${name}, trace on`, median(on), 'ns', { ...lower, baseline: median(first) }),
    ];
  });
}
