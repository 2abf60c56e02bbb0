import { HPET_BASE } from '../src/core/devices/guest-map.js';
import { MAIN_COUNTER } from '../src/core/devices/hpet/registers.js';
import { MACHINE_WORDS } from '../src/core/memory/map.js';
import { SharedMemory } from '../src/core/memory/shared-memory.js';
import { U64 } from '../src/core/memory/u64.js';
import { DEVICE } from '../src/core/sync/lock-names.js';
import { barging } from '../src/core/sync/mutex.js';
import { SequenceLatch } from '../src/core/sync/sequence-latch.js';
import { EventRing, eventRingWords } from '../src/runtime/events/event-ring.js';
import { machineAt } from '../src/runtime/memory/shared-map.js';
import { READ, WRITE } from '../src/runtime/rings/submission-ring.js';
import { InlineExecution } from '../src/runtime/threads/inline.js';
import { measureCall as measure } from './measure.js';
import { COMPARATOR, OneThread, running, writeHpet } from './one-thread.js';
import { print, saveResults } from './results.js';

/** The cost of the parts of an access on one thread, uncontended, in the modules that serve. */

function accesses(): void {
  const fixture = new OneThread(4);
  const free = running(fixture, 0, 'lockless-timer');
  const big = running(fixture, 1, 'bql');
  const inline = new InlineExecution(free, fixture.host.events);
  const base = machineAt(fixture.map, 0);
  const counter = { size: 8, address: HPET_BASE + MAIN_COUNTER, low: 0, high: 0 };
  const comparator = { size: 8, address: HPET_BASE + COMPARATOR, low: 0, high: 1 };
  let low = 0;
  print('One access, on the thread that executes it', {
    'main counter read, lockless-timer': measure(() => free.read(HPET_BASE + MAIN_COUNTER, 8)),
    'main counter read, bql': measure(() => big.read(HPET_BASE + MAIN_COUNTER, 8)),
    'host clock': measure(() => free.memory.hostTime()),
    'comparator write with re-arm, lockless-timer': measure(() => writeHpet(free, COMPARATOR, low++, 1)),
    'comparator write with re-arm, bql': measure(() => writeHpet(big, COMPARATOR, low++, 1)),
    'inline: main counter read': measure(() => inline.select(base).run(READ, counter)),
    'inline: comparator write, 3 locks tried in advance': measure(() =>
      inline.select(base).run(WRITE, { ...comparator, low: low++ }),
    ),
  });
}

function locks(): void {
  const fixture = new OneThread(1);
  const machine = fixture.create(0, 'lockless-timer');
  const { memory, locks } = machine;
  const sequence = new SequenceLatch(memory, MACHINE_WORDS - 8);
  const mutex = MACHINE_WORDS - 16;
  sequence.write(1, 2, 3);
  print('Locks, uncontended', {
    'bare mutex: lock and unlock': measure(() => {
      barging.tryAcquire(memory, mutex, 3);
      barging.release(memory, mutex);
    }),
    'lock and unlock with counters and lock order': measure(() => {
      locks.acquire(DEVICE);
      locks.release(DEVICE);
    }),
    'sequence latch: read of flags and two words': measure(() => sequence.read()),
    'sequence latch: the same, flags in a word of their own': measure(() => {
      sequence.read();
      sequence.flags = memory.load(mutex + 1);
    }),
    'mutex: read of three words under it': measure(() => {
      barging.tryAcquire(memory, mutex, 3);
      sequence.flags = memory.get(mutex + 1);
      sequence.first = memory.get(mutex + 2);
      sequence.second = memory.get(mutex + 3);
      barging.release(memory, mutex);
    }),
  });
}

function machines(): void {
  const before = process.memoryUsage.rss();
  const fixture = new OneThread(65_536);
  const reserved = process.memoryUsage.rss();
  const machine = fixture.newMachine();
  const begin = process.hrtime.bigint();
  for (let slot = 0; slot < 1000; slot++) fixture.create(slot, 'lockless-timer', machine);
  const each = Number(process.hrtime.bigint() - begin) / 1000;
  const touched = process.memoryUsage.rss();
  let slot = 0;
  print('Machines', {
    'arena for 65,536 machines: size': { median: fixture.buffer.byteLength / 2 ** 20, unit: 'MiB' },
    'arena for 65,536 machines: resident': { median: (reserved - before) / 2 ** 20, unit: 'MiB' },
    'arena with 1,000 machines: resident': { median: (touched - before) / 2 ** 20, unit: 'MiB' },
    'create a machine': { median: each / 1000, unit: 'µs' },
    'move the objects of a thread to another machine': measure(() =>
      machine.select(machineAt(fixture.map, slot++ % 1000)),
    ),
    'make the objects of a thread': measure(() => fixture.newMachine()),
  });
}

function numbers(): void {
  const sum = new U64();
  const step = new U64().set(0x9e37_79b9, 1);
  let big = 0n;
  const words = new Uint32Array(2);
  print('64-bit sums, kept in two 32-bit words', {
    '64-bit sum in halves': measure(() => {
      sum.set(words[0], words[1]).add(step);
      words[0] = sum.lo;
      words[1] = sum.hi;
    }),
    '64-bit sum in BigInt': measure(() => {
      big = BigInt.asUintN(64, ((BigInt(words[1]) << 32n) | BigInt(words[0])) + 0x1_9e37_79b9n);
      words[0] = Number(big & 0xffff_ffffn);
      words[1] = Number(big >> 32n);
    }),
  });
}

function events(): void {
  const memory = new SharedMemory(new SharedArrayBuffer(eventRingWords(16_384) * 4));
  const ring = new EventRing(memory, 0, 16_384, 4);
  const event = { kind: 1, cause: 2, a: 3, b: 4, c: 5, virtualTime: 6, deadline: 7 };
  print('Event ring', {
    'check for room in the event ring': measure(() => ring.hasRoom(0)),
    'emit and drain an event': measure(() => {
      ring.emit(0, event);
      ring.drain(1, () => {});
    }),
  });
}

accesses();
locks();
machines();
numbers();
events();
saveResults('node dist/bench/core.js');
