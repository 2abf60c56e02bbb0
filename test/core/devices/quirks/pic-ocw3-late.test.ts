import t from 'tap';
import { MASTER, PicBench } from '../../../support/pic-bench.js';

const SET_SPECIAL_MASK = 0x68;

for (const [quirks, state, intr] of [
  [['pic-ocw3-late'], 'on', 0],
  [[], 'off', 1],
] as const) {
  t.test(`pic-ocw3-late ${state}: INTR is ${intr} right after special mask mode lets a request through`, async (t) => {
    const bench = new PicBench({ quirks });
    bench.raise(1);
    bench.acknowledgeInterrupt();
    bench.raise(5);
    bench.out(MASTER + 1, 0x02);
    bench.out(MASTER, SET_SPECIAL_MASK);
    t.equal(bench.intr, intr);
    bench.out(MASTER + 1, 0x02);
    t.equal(bench.intr, 1, 'the next write to the mask evaluates it');
  });
}
