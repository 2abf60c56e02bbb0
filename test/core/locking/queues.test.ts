import t from 'tap';
import { LineQueue } from '../../../src/core/locking/line-queue.js';
import { Kicks } from '../../../src/core/machine/kicks.js';
import type { Area } from '../../../src/core/memory/layout.js';
import { KICK_AREA, LINE_QUEUE_AREA } from '../../../src/core/memory/map.js';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import fc from '../../support/properties.js';

const WORDS = 4096;
const CAPACITY = 64;

/** Memory in which the words of these names start shortly before their wrap. */
function nearWrap(area: Area, before: number, ...names: string[]): SharedMemory {
  const memory = SharedMemory.ofWords(WORDS);
  const start = (2 ** 31 - before) | 0;
  for (const address of area.addresses()) {
    if (names.some((name) => area.field(address)?.name === `${area.name}.${name}`)) memory.store(address, start);
  }
  return memory;
}

const step = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(fc.nat(31), fc.nat(25), fc.constantFrom(0, 1, 2)) },
  { weight: 1, arbitrary: fc.constant('drain' as const) },
);

t.test('a line queue yields all changes in order, and refuses one that has no room, across its wrap', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.nat(200), (steps, before) => {
      const queue = new LineQueue(nearWrap(LINE_QUEUE_AREA, before, 'head', 'tail'));
      const expected: (readonly number[])[] = [];
      for (const change of [...steps, 'drain' as const]) {
        if (change === 'drain') {
          const drained: number[][] = [];
          queue.drain(
            (line, source, level) => drained.push([line, source, level]),
            (line, source) => drained.push([line, source, 2]),
          );
          if (JSON.stringify(drained) !== JSON.stringify(expected.splice(0))) return false;
        } else {
          const [line, source, level] = change;
          const pushed = level === 2 ? queue.pushPulse(line, source) : queue.push(line, source, level);
          if (pushed !== expected.length < CAPACITY) return false;
          if (pushed) expected.push(change);
          if (pushed && !queue.hasQueued) return false;
        }
        if (queue.isEmpty !== (expected.length === 0)) return false;
      }
      return true;
    }),
  );
});

t.test('a drain sees what its own changes queue, and an empty queue is full of nothing', async (t) => {
  const queue = new LineQueue(SharedMemory.ofWords(WORDS));
  for (let change = 0; change < CAPACITY; change++) t.equal(queue.push(change & 31, 1, 1), true);
  t.equal(queue.push(0, 1, 1), false);
  const drained: number[] = [];
  queue.drain(
    (line) => {
      drained.push(line);
      if (drained.length === 1) queue.pushPulse(7, 1);
    },
    (line) => drained.push(100 + line),
  );
  t.equal(drained.length, CAPACITY + 1);
  t.equal(drained.at(-1), 107);
});

t.test('kicks are taken in the order of their marks, each with its newest arming, across their wrap', async () => {
  const operation = fc.oneof(fc.nat(5), fc.constant('take' as const));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), fc.nat(60), (operations, before) => {
      const kicks = new Kicks(nearWrap(KICK_AREA, before, 'head', 'tail'));
      const marked: number[] = [];
      const armed = new Map<number, readonly [generation: number, deadline: number]>();
      for (const [number, timer] of [...operations, ...Array(7).fill('take' as const)].entries()) {
        if (timer === 'take') {
          const taken = kicks.take();
          const expected = marked.shift();
          if (taken !== (expected !== undefined)) return false;
          if (expected === undefined) continue;
          const [generation, deadline] = armed.get(expected) ?? [];
          if (kicks.taken !== expected || kicks.takenGeneration !== generation) return false;
          if (kicks.takenDeadline !== deadline) return false;
        } else {
          const isMarked = marked.includes(timer);
          const deadline = isMarked ? (armed.get(timer)?.[1] ?? 0) : number * 10;
          kicks.mark(timer, number + 1, deadline);
          armed.set(timer, [number + 1, deadline]);
          if (!isMarked) marked.push(timer);
        }
        if (kicks.isEmpty !== (marked.length === 0)) return false;
      }
      return true;
    }),
  );
});
