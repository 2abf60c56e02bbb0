import fc from 'fast-check';
import t from 'tap';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import { EventRing, eventRingWords } from '../../../src/runtime/events/event-ring.js';
import { EventShares, eventShareWords } from '../../../src/runtime/events/event-shares.js';

const CAPACITY = 16;
const BURST = 2;
const PRODUCERS = 3;

/** Memory of a thread that waits while others act. */
class PatientMemory extends SharedMemory {
  meanwhile = () => {};
  waits = 0;

  override wait(): void {
    if (++this.waits > 10_000) throw new Error('no thread makes room');
    this.meanwhile();
  }
}

function rings() {
  const buffer = new SharedArrayBuffer(eventRingWords(CAPACITY) * 4);
  const ring = (memory: SharedMemory, waits: boolean) => new EventRing(memory, 0, CAPACITY, PRODUCERS, waits, BURST);
  const memories = Array.from({ length: PRODUCERS - 1 }, () => new PatientMemory(buffer));
  return {
    memories,
    waiting: memories.map((memory) => ring(memory, true)),
    gateway: ring(new SharedMemory(buffer), false),
  };
}

/** Emits an event with a unique number. */
function emit(ring: EventRing, number: number): void {
  const [a, b, c] = [number, ~number, number * 3];
  ring.emit(number & 7, { kind: 1, cause: 2, a, b, c, virtualTime: number, deadline: -number });
}

t.test('whatever bursts producers emit, no event is lost, overwritten or out of order', async (t) => {
  const step = fc.record({
    producer: fc.integer({ min: 0, max: PRODUCERS - 2 }),
    events: fc.integer({ min: 0, max: 5 * CAPACITY }),
    announced: fc.boolean(),
    drained: fc.integer({ min: 0, max: CAPACITY }),
    drainedPerWait: fc.integer({ min: 1, max: CAPACITY }),
  });
  const property = fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
    const { memories, waiting, gateway } = rings();
    let emitted = 0;
    let delivered = 0;
    const drain = (limit: number) =>
      gateway.drain(limit, (machine, { position, a, b, c, virtualTime, deadline }) => {
        const number = delivered++;
        const expected = [number & 7, number, number, ~number, number * 3, number, -number];
        const actual = [machine, position, a, b, c, virtualTime, deadline];
        if (actual.some((value, i) => value !== expected[i])) throw new Error(`${actual} in place of ${expected}`);
      });
    for (const { producer, events, announced, drained, drainedPerWait } of steps) {
      memories[producer].meanwhile = () => drain(drainedPerWait);
      if (announced) waiting[producer].hasRoom(0);
      for (let event = 0; event < events; event++) emit(waiting[producer], emitted++);
      drain(drained);
    }
    drain(Number.POSITIVE_INFINITY);
    return delivered === emitted && gateway.tail() === emitted && gateway.head() === emitted;
  });
  t.doesNotThrow(() => fc.assert(property));
});

t.test('a burst that was looked for finds room while all others emit theirs', async (t) => {
  const { memories, waiting, gateway } = rings();
  while (gateway.hasRoom(0)) emit(gateway, 0);
  gateway.drain(1, () => {});
  for (const each of waiting) t.ok(each.hasRoom(0));
  t.ok(gateway.hasRoom(0));
  for (const each of [...waiting, gateway]) for (let event = 0; event < BURST; event++) emit(each, event);
  t.same(
    memories.map(({ waits }) => waits),
    [0, 0],
  );
  t.ok(((gateway.tail() - gateway.head()) | 0) <= CAPACITY);
});

t.test('the gateway cannot wait for itself: it fails, and overwrites nothing', async (t) => {
  const { gateway } = rings();
  let emitted = 0;
  t.throws(
    () => {
      for (; emitted <= 2 * CAPACITY; emitted++) emit(gateway, emitted);
    },
    { code: 'event-ring-overrun', message: /more than 2 events/ },
  );
  const numbers: number[] = [];
  gateway.drain(Number.POSITIVE_INFINITY, (_, { a }) => numbers.push(a));
  t.same(
    numbers,
    Array.from({ length: emitted }, (_, number) => number),
  );
  t.ok(emitted <= CAPACITY);
});

t.test('a record that is completed while another thread waits for room is rung for', async (t) => {
  const { memories, waiting, gateway } = rings();
  const [one, other] = waiting;
  let rung = 0;
  other.onFull = () => rung++;
  t.ok(other.hasRoom(0));
  while (gateway.hasRoom(0)) emit(gateway, 0);
  memories[0].meanwhile = () => {
    emit(other, 1);
    t.equal(rung, 1);
    gateway.drain(Number.POSITIVE_INFINITY, () => {});
  };
  one.awaitRoom();
  emit(other, 2);
  t.equal(rung, 1, 'nobody waits any longer');
});

t.test('however many machines use their shares of the ring, there is room for one more', async (t) => {
  const machines = 128;
  const capacity = 1024;
  const buffer = new SharedArrayBuffer((eventRingWords(capacity) + eventShareWords(machines)) * 4);
  const memory = new SharedMemory(buffer);
  const shares = new EventShares(memory, eventRingWords(capacity), machines);
  const ring = new EventRing(memory, 0, capacity, PRODUCERS, false, BURST, shares);
  const event = { kind: 1, cause: 2, a: 0, b: 0, c: 0, virtualTime: 0, deadline: -1 };
  const used: number[] = [];
  for (let machine = 0; machine < machines; machine++) {
    used.push(0);
    for (; ring.hasRoom(machine); used[machine]++) ring.emit(machine, event);
    if (used[machine] === 0) t.fail(`no room for machine ${machine}`);
  }
  t.ok(used[0] < capacity / 16, `one machine leaves most of the ring to others: ${used[0]}`);
  ring.drain(used[0], () => {});
  t.ok(ring.hasRoom(0), 'a machine has room again once its events are delivered');
});
