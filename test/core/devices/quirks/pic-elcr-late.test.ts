import t from 'tap';
import { EOI, MASTER, PicBench } from '../../../support/pic-bench.js';

const ELCR = 0x4d0;

for (const [quirks, state, intr] of [
  [['pic-elcr-late'], 'on', 0],
  [[], 'off', 1],
] as const) {
  t.test(
    `pic-elcr-late ${state}: a line that is high when its input becomes level triggered: INTR ${intr}`,
    async (t) => {
      const bench = new PicBench({ quirks });
      bench.raise(5);
      bench.acknowledgeInterrupt();
      bench.out(MASTER, EOI);
      bench.out(ELCR, 0x20);
      t.equal(bench.intr, intr);
      bench.raise(5);
      t.equal(bench.intr, 1, 'driven again, it requests');
      bench.lower(5);
      t.equal(bench.intr, 0);
    },
  );
}

for (const [quirks, state, intr] of [
  [['pic-elcr-late'], 'on', 1],
  [[], 'off', 0],
] as const) {
  t.test(`pic-elcr-late ${state}: a level request whose input becomes edge triggered: INTR ${intr}`, async (t) => {
    const bench = new PicBench({ quirks });
    bench.out(ELCR, 0x20);
    bench.raise(5);
    bench.out(ELCR, 0x00);
    t.equal(bench.intr, intr);
  });
}
