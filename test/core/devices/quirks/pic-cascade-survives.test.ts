import t from 'tap';
import { MASTER, PicBench, SLAVE } from '../../../support/pic-bench.js';

for (const [quirks, state, intr, vector] of [
  [['pic-cascade-survives'], 'on', 1, 0x2f],
  [[], 'off', 0, 0x27],
] as const) {
  t.test(`pic-cascade-survives ${state}: a slave request masked in time gives 0x${vector.toString(16)}`, async (t) => {
    const bench = new PicBench({ quirks });
    bench.raise(11);
    bench.out(SLAVE + 1, 0x08);
    t.equal(bench.intr, intr);
    t.equal(bench.irr(MASTER), intr << 2);
    t.equal(bench.acknowledgeInterrupt(), vector);
    t.equal(bench.isr(MASTER), intr << 2);
    t.equal(bench.isr(SLAVE), 0);
  });
}
