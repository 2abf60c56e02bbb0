import t from 'tap';
import { MainCounter } from '../../../../src/core/devices/hpet/main-counter.js';
import { COUNTER } from '../../../../src/core/devices/hpet/state.js';
import { MACHINE_WORDS } from '../../../../src/core/memory/map.js';
import { SharedMemory } from '../../../../src/core/memory/shared-memory.js';
import { U64 } from '../../../../src/core/memory/u64.js';

const WRITING = 1;

/** The counter as two threads see it, running since time 0. */
function twoThreads() {
  const buffer = new SharedArrayBuffer(MACHINE_WORDS * 4);
  const memory = new SharedMemory(buffer);
  const [reader, writer] = [new MainCounter(memory), new MainCounter(new SharedMemory(buffer))];
  writer.reset(false);
  writer.start(0);
  return { memory, reader, writer };
}

t.test('a reader that is overtaken by a halt is not ahead of who reads after it', async (t) => {
  const { reader, writer } = twoThreads();
  const first = new U64();
  let looks = 0;
  const now = () => {
    if (looks++ === 0) writer.halt({ now: () => 1000 }, new U64());
    return 2000;
  };
  reader.read(first, { now });
  const second = new U64();
  reader.read(second, { now });
  t.equal(first.toBigInt(), 100n);
  t.equal(second.toBigInt(), 100n);
});

t.test('the time at which the counter is halted or changed is looked at while readers wait', async (t) => {
  const { memory, writer } = twoThreads();
  const isHeld = () => (memory.load(COUNTER) & WRITING) !== 0;
  const held: boolean[] = [];
  const now = () => {
    held.push(isHeld());
    return 1000;
  };
  writer.change({ now }, new U64(), (value) => value.set(5, 0));
  t.notOk(isHeld());
  writer.halt({ now }, new U64());
  t.notOk(isHeld());
  t.same(held, [true, true]);
  const read = new U64();
  writer.read(read, { now });
  t.equal(read.toBigInt(), 5n, 'changed and halted at the same time');
});
