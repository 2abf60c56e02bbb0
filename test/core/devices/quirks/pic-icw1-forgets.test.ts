import t from 'tap';
import { MASTER, PicBench } from '../../../support/pic-bench.js';

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

for (const [quirks, state, levels] of [
  [['pic-icw1-forgets', 'pic-uninitialised'], 'on', [1, 0]],
  [['pic-uninitialised'], 'off', []],
] as const) {
  t.test(`pic-icw1-forgets ${state}: a reset while the master has forgotten the slave's INT`, async (t) => {
    const bench = new PicBench({ quirks });
    bench.raise(15);
    bench.out(MASTER, 0x13);
    t.equal(bench.intr, 0);
    bench.takeEvents();
    bench.reset();
    t.same(
      bench.takeEvents().flatMap((event) => (event.kind === 'intr' ? [event.level] : [])),
      levels,
    );
  });
}
