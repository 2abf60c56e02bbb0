import t from 'tap';
import { MainCounter } from '../../../src/core/devices/hpet/main-counter.js';
import { PRESETS } from '../../../src/core/locking/presets.js';
import { Clock } from '../../../src/core/machine/clock.js';
import { Machine, type MachineOptions } from '../../../src/core/machine/machine.js';
import { emptyEvent } from '../../../src/core/memory/event-words.js';
import { MACHINE_WORDS } from '../../../src/core/memory/map.js';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import { BQL, DEVICE } from '../../../src/core/sync/lock-names.js';
import { Locks } from '../../../src/core/sync/locks.js';
import { NO_STATISTICS } from '../../../src/core/sync/statistics.js';
import { Thread } from '../../../src/core/sync/thread.js';
import { EventRing, eventRingWords, LARGEST_BURST } from '../../../src/runtime/events/event-ring.js';
import { OK, READ, SET_LINE, WRITE } from '../../../src/runtime/rings/submission-ring.js';
import { InlineExecution } from '../../../src/runtime/threads/inline.js';
import { GENERAL_CONFIGURATION, IOAPIC, LEVEL_TRIGGERED, MAIN_COUNTER } from '../../support/guest.js';

const MACHINE = 512;
const RING = MACHINE + MACHINE_WORDS;
const CAPACITY = 2 * LARGEST_BURST;

/** Memory of a thread that may not wait. */
class RestlessMemory extends SharedMemory {
  override wait(): void {
    throw new Error('the gateway waits');
  }

  override spin(): void {
    throw new Error('the gateway spins');
  }

  /** Runs when the thread looks at the host's clock next. */
  meanwhile = () => {};

  override hostTime(): number {
    this.meanwhile();
    return super.hostTime();
  }
}

/** Memory of a thread that dies over one of its stores. */
class MortalMemory extends SharedMemory {
  storesLeft = Number.POSITIVE_INFINITY;

  override store(address: number, value: number): void {
    if (this.storesLeft-- <= 0) throw new Error('dead');
    super.store(address, value);
  }
}

/** A ring in which another thread tells something whenever room was found. */
class BusyRing extends EventRing {
  override hasRoom(machine: number): boolean {
    const hasRoom = super.hasRoom(machine);
    this.emit(0, emptyEvent());
    return hasRoom;
  }
}

function gateway(ring: typeof EventRing, options: Partial<MachineOptions> = {}) {
  const buffer = new SharedArrayBuffer((RING + eventRingWords(CAPACITY)) * 4);
  const shared = new RestlessMemory(buffer);
  const events = new ring(shared, RING, CAPACITY, 1, false);
  const thread = (id: number) => new Thread(id, shared, NO_STATISTICS);
  const memory = new RestlessMemory(buffer);
  const machine = new Machine(memory, thread(1), { events, kickMainLoop() {}, kickVcpu() {}, kickLoad() {} });
  machine.create(MACHINE, {
    slot: 0,
    design: PRESETS['lockless-timer'],
    clock: 'realtime',
    hpet: { timers: 3, msi: false, routingCapability: 0 },
    ioapic: { version: 0x20, id: 0 },
    quirks: 0,
    generationCheck: true,
    countOverlap: false,
    ...options,
  });
  const inline = new InlineExecution(machine, events);
  const others = new Locks(new SharedMemory(buffer, MACHINE), thread(2));
  others.select();
  const run = (operation: number, size: number, address: number, low: number) =>
    inline.select(MACHINE).run(operation, { size, address, low, high: 0 });
  const fill = () => {
    while (events.tail() < CAPACITY - LARGEST_BURST) events.emit(0, emptyEvent());
  };
  return { run, fill, events, memory, machine, others, buffer };
}

t.test('the gateway does not wait for room that was taken since it looked', async (t) => {
  const { run, fill } = gateway(BusyRing);
  fill();
  t.equal(run(WRITE, 4, IOAPIC, 0x10), OK);
  t.equal(run(WRITE, 4, IOAPIC, 0x10), undefined, 'the next is for a thread that may wait');
});

t.test('it found room for one piece, and hands over what a device sees as several', async (t) => {
  const { run, fill } = gateway(EventRing);
  t.equal(run(SET_LINE, 0, 4, 1), OK);
  t.equal(run(WRITE, 4, IOAPIC, 0x10 + 2 * 4), OK);
  fill();
  t.equal(run(WRITE, 8, IOAPIC + 0x10, LEVEL_TRIGGERED | 0x40), undefined);
  t.equal(run(WRITE, 4, IOAPIC + 0x12, 0), undefined);
  t.equal(run(WRITE, 8, GENERAL_CONFIGURATION + 4, 0), undefined);
  t.equal(run(WRITE, 4, IOAPIC + 0x10, LEVEL_TRIGGERED | 0x40), OK, 'one piece, whatever it causes');
});

t.test('it does not spin while a writer holds the readers of the main counter up', async (t) => {
  const { run, machine, others } = gateway(EventRing, { seqlock: 'legacy' });
  t.equal(run(READ, 8, MAIN_COUNTER, 0), OK);
  others.acquire(DEVICE);
  machine.chipset.hpet.counter.holdReaders();
  t.equal(run(READ, 8, MAIN_COUNTER, 0), undefined);
});

t.test('a writer comes between the look and the read, and never goes on', async (t) => {
  for (const [address, locking] of [
    [MAIN_COUNTER, 'lockless-timer'],
    [MAIN_COUNTER, 'bql'],
    [MAIN_COUNTER + 2, 'lockless-timer'],
  ] as const) {
    const { run, memory, machine, others, buffer } = gateway(EventRing, { design: PRESETS[locking] });
    t.equal(run(WRITE, 8, GENERAL_CONFIGURATION, 1), OK);
    t.equal(run(READ, 4, address, 0), OK);
    const counter = new MainCounter(new SharedMemory(buffer, MACHINE));
    memory.meanwhile = () => counter.holdReaders();
    t.equal(run(READ, 4, address, 0), undefined);
    for (const lock of [BQL, DEVICE]) t.ok(others.tryAcquire(lock), 'all locks are given back');
    t.equal(machine.locks.held, 0);
  }
});

t.test('the main loop dies at any store of a write of the clock: the gateway reads what was before', async (t) => {
  const { memory, machine, buffer } = gateway(EventRing, { clock: 'manual' });
  machine.select(MACHINE);
  const mortal = new MortalMemory(buffer, MACHINE);
  const clock = new Clock(mortal);
  clock.moveTo(2 ** 40 + 1);
  for (let stores = 0; stores < 3; stores++) {
    mortal.storesLeft = stores;
    t.throws(() => clock.moveTo(2 ** 41 + 2));
    t.equal(new Clock(memory).now(), 2 ** 40 + 1, `after ${stores} stores`);
  }
  mortal.storesLeft = 3;
  clock.moveTo(2 ** 41 + 2);
  t.equal(new Clock(memory).now(), 2 ** 41 + 2);
});
