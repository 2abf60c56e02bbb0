import t from 'tap';
import { DUE_WORK_AREA } from '../../../src/core/memory/map.js';
import { BenchMachine } from '../../support/bench-machine.js';

function wordOf(name: string): number {
  const address = DUE_WORK_AREA.addresses().find((at) => DUE_WORK_AREA.field(at)?.name.endsWith(name));
  if (address === undefined) throw new Error(`there is no word ${name}`);
  return address;
}

const WANTED = wordOf('settleWanted');
const DONE = wordOf('settleDone');

t.test('a round that ends after a freeze does not take back that waiting threads were answered', async (t) => {
  const bench = new BenchMachine({ locking: 'bql' });
  const { memory, locks } = bench.mainLoopMachine;
  memory.add(WANTED, 1);
  const release = locks.release.bind(locks);
  // Between the look at the requests and their answer another thread asks, and the machine is frozen.
  locks.release = (lock) => {
    locks.release = release;
    release(lock);
    memory.add(WANTED, 1);
    bench.due.freeze();
  };
  bench.mainLoop.run();
  t.equal(memory.load(DONE), memory.load(WANTED), 'no thread waits for a round that does not come');
});
