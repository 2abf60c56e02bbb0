import t from 'tap';
import { PicBench } from '../../../support/pic-bench.js';

const SPECIAL_FULLY_NESTED = 0x11;

for (const [quirks, state, intr] of [
  [['pic-nested-slave'], 'on', 1],
  [[], 'off', 0],
] as const) {
  t.test(`pic-nested-slave ${state}: IR3 requests while the slave is in service: ${intr}`, async (t) => {
    const bench = new PicBench({ quirks, init: { master: SPECIAL_FULLY_NESTED } });
    bench.raise(10);
    bench.acknowledgeInterrupt();
    bench.raise(9);
    t.equal(bench.intr, 1, 'a higher request of the slave is let through');
    bench.lower(9);
    bench.raise(3);
    t.equal(bench.intr, intr);
  });
}
