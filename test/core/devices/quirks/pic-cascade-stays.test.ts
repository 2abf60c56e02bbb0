import t from 'tap';
import { PicBench } from '../../../support/pic-bench.js';

const AUTOMATIC_EOI = 0x03;

for (const [quirks, state, intr] of [
  [['pic-cascade-stays'], 'on', 0],
  [[], 'off', 1],
] as const) {
  t.test(
    `pic-cascade-stays ${state}: with automatic EOI INTR is ${intr} after the first of two requests`,
    async (t) => {
      const bench = new PicBench({ quirks, init: { master: AUTOMATIC_EOI, slave: AUTOMATIC_EOI } });
      bench.raise(9, 10);
      t.equal(bench.acknowledgeInterrupt(), 0x29);
      t.equal(bench.intr, intr);
      t.equal(bench.acknowledgeInterrupt(), intr ? 0x2a : 0x27);
    },
  );
}
