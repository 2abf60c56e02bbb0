import t from 'tap';
import { PicBench } from '../../../support/pic-bench.js';

for (const [quirks, state, intr] of [
  [['pic-icw1-forgets'], 'on', 1],
  [[], 'off', 0],
] as const) {
  t.test(`pic-icw1-forgets ${state}: a high line that is driven high after ICW1: INTR ${intr}`, async (t) => {
    const bench = new PicBench({ quirks });
    bench.raise(4);
    bench.initialise();
    t.equal(bench.intr, 0);
    bench.raise(4);
    t.equal(bench.intr, intr);
  });
}
