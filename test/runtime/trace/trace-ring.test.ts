import t from 'tap';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import { readRing, TraceRing, traceRingWords, whatOf, writtenTo } from '../../../src/runtime/memory/trace-ring.js';

const AT = 32;
const CAPACITY = 64;
const MACHINE = 4096;

function ringAt(shared: SharedMemory): TraceRing {
  return new TraceRing(shared, AT, CAPACITY);
}

/** Writes records numbered from `first` on, every second of another machine. */
function write(ring: TraceRing, first: number, count: number): void {
  for (let n = first; n < first + count; n++) {
    ring.machine = n % 2 ? MACHINE : 8192;
    ring.number = n / 2;
    ring.write(n, whatOf(3, 2, 1), n, -n);
  }
}

t.test('a ring keeps the newest records, and counts the others', async (t) => {
  const shared = new SharedMemory(new SharedArrayBuffer((AT + traceRingWords(CAPACITY)) * 4));
  write(ringAt(shared), 0, 10);
  t.same(readRing(shared, AT, CAPACITY, 0, MACHINE).records.at(-1), {
    time: 9,
    kind: 3,
    lock: 2,
    site: 1,
    a: 9,
    b: -9,
    number: 4.5,
  });
  t.same(
    readRing(shared, AT, CAPACITY, 4, MACHINE).records.map(({ a }) => a),
    [5, 7, 9],
    'from a position on, of one machine',
  );
  write(ringAt(shared), 10, 200);
  t.equal(writtenTo(shared, AT), 210, 'another thread of the same number goes on');
  const { records, overwritten } = readRing(shared, AT, CAPACITY, 4, MACHINE);
  const left = 210 - 4 - overwritten;
  t.ok(left <= CAPACITY && left > CAPACITY * 0.8, `${left} are left`);
  t.same(
    records.map(({ a }) => a),
    Array.from({ length: 210 }, (_, n) => n).filter((n) => n >= 210 - left && n % 2 === 1),
    'none of what is left is missing',
  );
});

t.test('counts pass 2^32', async (t) => {
  const shared = new SharedMemory(new SharedArrayBuffer((AT + traceRingWords(CAPACITY)) * 4));
  // As if so many had been written: the count is a float64 in the third word, beside 32 bits in the first.
  shared.setTime(AT + 2, 2 ** 32 - 3);
  shared.store(AT, -3);
  const from = writtenTo(shared, AT);
  t.equal(from, 2 ** 32 - 3);
  write(ringAt(shared), 0, 6);
  t.equal(writtenTo(shared, AT), 2 ** 32 + 3);
  t.same(
    readRing(shared, AT, CAPACITY, from, MACHINE).records.map(({ a }) => a),
    [1, 3, 5],
  );
});
