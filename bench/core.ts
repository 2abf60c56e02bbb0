import {
  GENERAL_CONFIGURATION,
  HPET_BASE,
  INT_ENB_CNF,
  MAIN_COUNTER,
  TIMER_BLOCKS,
  TIMER_COMPARATOR,
} from '../src/devices/hpet/registers.js';
import { PROFILES, quirkBits } from '../src/devices/quirks.js';
import { EventRing, eventRingWords } from '../src/events/event-ring.js';
import { PRESETS, type PresetName } from '../src/locking/presets.js';
import { Machine, type MachineOptions } from '../src/machine/machine.js';
import { MACHINE_WORDS } from '../src/memory/map.js';
import { SharedMemory } from '../src/memory/shared-memory.js';
import { U64 } from '../src/memory/u64.js';
import { DEVICE } from '../src/sync/lock-names.js';
import { barging } from '../src/sync/mutex.js';
import { SequenceLock } from '../src/sync/sequence-lock.js';
import { Thread } from '../src/sync/thread.js';
import { WaitGraph } from '../src/sync/wait-graph.js';
import { ThreadHost } from '../src/threads/host.js';
import { InlineExecution } from '../src/threads/inline.js';
import { FIRST_VCPU_THREAD, machineAt, sharedMap } from '../src/threads/shared-map.js';
import { READ, WRITE } from '../src/threads/submission-ring.js';
import { ThreadStatistics } from '../src/threads/thread-statistics.js';
import { measure, print } from './measure.js';

/** What the parts of an access cost on one thread, with nobody else about. The modules are the ones that serve. */

/** Of timer 0. */
const COMPARATOR = TIMER_BLOCKS + TIMER_COMPARATOR;

function machineOptions(slot: number, preset: PresetName): MachineOptions {
  return {
    slot,
    design: PRESETS[preset],
    clock: 'realtime',
    hpet: { timers: 3, msi: false, routingCapability: 0x00ff_0104 },
    ioapic: { version: 0x20, id: 0 },
    quirks: quirkBits(PROFILES.standard),
    generationCheck: true,
    countOverlap: false,
  };
}

class Laboratory {
  readonly map;
  readonly buffer: SharedArrayBuffer;
  readonly host: ThreadHost;
  readonly thread: Thread;

  constructor(machines: number) {
    this.map = sharedMap({ machines, vcpuThreads: 2, submissions: 1024, events: 16384, statisticsSlots: 1 });
    this.buffer = new SharedArrayBuffer(this.map.words * 4);
    const shared = new SharedMemory(this.buffer);
    this.host = new ThreadHost(shared, this.map);
    const statistics = new ThreadStatistics(this.buffer, this.map, FIRST_VCPU_THREAD);
    this.thread = new Thread(FIRST_VCPU_THREAD, shared, statistics, new WaitGraph(shared, FIRST_VCPU_THREAD));
  }

  newMachine(): Machine {
    return new Machine(new SharedMemory(this.buffer), this.thread, this.host);
  }

  create(slot: number, preset: PresetName, machine = this.newMachine()): Machine {
    machine.create(machineAt(this.map, slot), machineOptions(slot, preset));
    return machine;
  }
}

const value = new U64();

function writeHpet(machine: Machine, offset: number, low: number, high = 0): void {
  machine.write(HPET_BASE + offset, 8, value.set(low, high));
}

/** A machine whose HPET runs, with timer 0 armed for a time that does not come. */
function running(laboratory: Laboratory, slot: number, preset: PresetName): Machine {
  const machine = laboratory.create(slot, preset);
  writeHpet(machine, TIMER_BLOCKS, INT_ENB_CNF | (2 << 9));
  writeHpet(machine, COMPARATOR, 0, 1);
  writeHpet(machine, GENERAL_CONFIGURATION, 1);
  return machine;
}

function accesses(): void {
  const laboratory = new Laboratory(4);
  const free = running(laboratory, 0, 'lockless-timer');
  const big = running(laboratory, 1, 'bql');
  const inline = new InlineExecution(free, laboratory.host.events);
  const base = machineAt(laboratory.map, 0);
  let low = 0;
  print('One access, on the thread that carries it out', [
    ['main counter read, lockless-timer', measure(() => free.read(HPET_BASE + MAIN_COUNTER, 8)), 'ns'],
    ['main counter read, bql', measure(() => big.read(HPET_BASE + MAIN_COUNTER, 8)), 'ns'],
    ['  of these, the host clock', measure(() => free.memory.hostTime()), 'ns'],
    ['comparator write with re-arm, lockless-timer', measure(() => writeHpet(free, COMPARATOR, low++, 1)), 'ns'],
    ['comparator write with re-arm, bql', measure(() => writeHpet(big, COMPARATOR, low++, 1)), 'ns'],
    ['inline: main counter read', measure(() => inline.run(READ, 8, base, HPET_BASE + MAIN_COUNTER, 0, 0)), 'ns'],
    [
      'inline: comparator write, its 3 locks tried beforehand',
      measure(() => inline.run(WRITE, 8, base, HPET_BASE + COMPARATOR, low++, 1)),
      'ns',
    ],
  ]);
}

function locks(): void {
  const laboratory = new Laboratory(1);
  const machine = laboratory.create(0, 'lockless-timer');
  const { memory, locks } = machine;
  const sequence = new SequenceLock(memory, MACHINE_WORDS - 8);
  const mutex = MACHINE_WORDS - 16;
  sequence.write(1, 2, 3);
  print('Locks, uncontended', [
    [
      'mutex: lock and unlock',
      measure(() => {
        barging.tryAcquire(memory, mutex, 3);
        barging.release(memory, mutex);
      }),
      'ns',
    ],
    [
      'the same with owner, counters and lock order',
      measure(() => {
        locks.acquire(DEVICE);
        locks.release(DEVICE);
      }),
      'ns',
    ],
    ['sequence lock: read of flags and two words', measure(() => sequence.read()), 'ns'],
    [
      'the same with the flags in a word of their own',
      measure(() => {
        sequence.read();
        sequence.flags = memory.load(mutex + 1);
      }),
      'ns',
    ],
    [
      'mutex: read of three words under it',
      measure(() => {
        barging.tryAcquire(memory, mutex, 3);
        sequence.flags = memory.get(mutex + 1);
        sequence.first = memory.get(mutex + 2);
        sequence.second = memory.get(mutex + 3);
        barging.release(memory, mutex);
      }),
      'ns',
    ],
  ]);
}

function machines(): void {
  const before = process.memoryUsage.rss();
  const laboratory = new Laboratory(65_536);
  const reserved = process.memoryUsage.rss();
  const machine = laboratory.newMachine();
  const begin = process.hrtime.bigint();
  for (let slot = 0; slot < 1000; slot++) laboratory.create(slot, 'lockless-timer', machine);
  const each = Number(process.hrtime.bigint() - begin) / 1000;
  const touched = process.memoryUsage.rss();
  let slot = 0;
  print('Machines', [
    ['arena for 65,536 machines: size', laboratory.buffer.byteLength / 2 ** 20, 'MiB'],
    ['arena for 65,536 machines: resident', (reserved - before) / 2 ** 20, 'MiB'],
    ['after 1,000 were created: resident', (touched - before) / 2 ** 20, 'MiB'],
    ['to create one', each / 1000, 'µs'],
    [
      'to turn the objects of a thread to another',
      measure(() => machine.select(machineAt(laboratory.map, slot++ % 1000))),
      'ns',
    ],
    ['to make these objects', measure(() => laboratory.newMachine()), 'ns'],
  ]);
}

function numbers(): void {
  const sum = new U64();
  const step = new U64().set(0x9e37_79b9, 1);
  let big = 0n;
  const words = new Uint32Array(2);
  print('64-bit sums, kept in two 32-bit words', [
    [
      'halves',
      measure(() => {
        sum.set(words[0], words[1]).add(step);
        words[0] = sum.lo;
        words[1] = sum.hi;
      }),
      'ns',
    ],
    [
      'BigInt',
      measure(() => {
        big = BigInt.asUintN(64, ((BigInt(words[1]) << 32n) | BigInt(words[0])) + 0x1_9e37_79b9n);
        words[0] = Number(big & 0xffff_ffffn);
        words[1] = Number(big >> 32n);
      }),
      'ns',
    ],
  ]);
}

function events(): void {
  const memory = new SharedMemory(new SharedArrayBuffer(eventRingWords(1024) * 4));
  const ring = new EventRing(memory, 0, 1024, 4);
  print('Event ring', [
    ['look for room', measure(() => ring.awaitRoom()), 'ns'],
    [
      'emit and drain',
      measure(() => {
        ring.emit(0, 1, 2, 3, 4, 5, 6, 7);
        ring.drain(1, () => {});
      }),
      'ns',
    ],
  ]);
}

accesses();
locks();
machines();
numbers();
events();
