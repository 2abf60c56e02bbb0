import t from 'tap';
import { EventRing, eventRingWords, LARGEST_BURST } from '../../src/events/event-ring.js';
import { PRESETS } from '../../src/locking/presets.js';
import { Machine, type MachineOptions } from '../../src/machine/machine.js';
import { MACHINE_WORDS } from '../../src/memory/map.js';
import { SharedMemory } from '../../src/memory/shared-memory.js';
import { DEVICE } from '../../src/sync/lock-names.js';
import { Locks } from '../../src/sync/locks.js';
import { NO_STATISTICS } from '../../src/sync/statistics.js';
import { Thread } from '../../src/sync/thread.js';
import { InlineExecution } from '../../src/threads/inline.js';
import { OK, READ, SET_LINE, WRITE } from '../../src/threads/submission-ring.js';
import { GENERAL_CONFIGURATION, IOAPIC, LEVEL_TRIGGERED, MAIN_COUNTER } from '../support/guest.js';

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
}

/** A ring in which another thread tells something whenever room was found. */
class BusyRing extends EventRing {
  override hasRoom(): boolean {
    const hasRoom = super.hasRoom();
    this.emit(0, 1, 0, 0, 0, 0, 0, 0);
    return hasRoom;
  }
}

function gateway(ring: typeof EventRing, options: Partial<MachineOptions> = {}) {
  const buffer = new SharedArrayBuffer((RING + eventRingWords(CAPACITY)) * 4);
  const shared = new RestlessMemory(buffer);
  const events = new ring(shared, RING, CAPACITY, 1, false);
  const thread = (id: number) => new Thread(id, shared, NO_STATISTICS);
  const machine = new Machine(new RestlessMemory(buffer), thread(1), { events, kickMainLoop() {}, kickVcpu() {} });
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
    inline.select(MACHINE).run(operation, size, address, low, 0);
  const fill = () => {
    while (events.tail() < CAPACITY - LARGEST_BURST) events.emit(0, 1, 0, 0, 0, 0, 0, 0);
  };
  return { run, fill, events, machine, others };
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
  machine.hpet.counter.holdReaders();
  t.equal(run(READ, 8, MAIN_COUNTER, 0), undefined);
});
