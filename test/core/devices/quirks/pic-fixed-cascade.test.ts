import t from 'tap';
import { MASTER, PicBench, SLAVE } from '../../../support/pic-bench.js';

for (const [quirks, state, vector] of [
  [['pic-fixed-cascade'], 'on', 0x29],
  [[], 'off', 0xff],
] as const) {
  t.test(
    `pic-fixed-cascade ${state}: a slave with the identification 3 answers 0x${vector.toString(16)}`,
    async (t) => {
      const bench = new PicBench({ quirks });
      bench.out(SLAVE, 0x11);
      bench.out(SLAVE + 1, 0x28, 0x03, 0x01);
      bench.raise(9);
      t.equal(bench.acknowledgeInterrupt(), vector);
    },
  );
}

for (const [quirks, state, vector] of [
  [['pic-fixed-cascade'], 'on', 0x29],
  [[], 'off', 0x52],
] as const) {
  t.test(`pic-fixed-cascade ${state}: a master with SNGL gives 0x${vector.toString(16)} for IR2`, async (t) => {
    const bench = new PicBench({ quirks });
    bench.out(MASTER, 0x13);
    bench.out(MASTER + 1, 0x50, 0x01);
    bench.raise(9);
    t.equal(bench.acknowledgeInterrupt(), vector);
  });
}
