import t from 'tap';
import { MASTER, PicBench } from '../../../support/pic-bench.js';

for (const [quirks, state, intr, vector] of [
  [['pic-edge-survives'], 'on', 1, 0x24],
  [[], 'off', 0, 0x27],
] as const) {
  t.test(`pic-edge-survives ${state}: a short edge gives vector 0x${vector.toString(16)}`, async (t) => {
    const bench = new PicBench({ quirks });
    bench.raise(4);
    bench.lower(4);
    t.equal(bench.intr, intr);
    t.equal(bench.irr(MASTER), intr << 4);
    t.equal(bench.acknowledgeInterrupt(), vector);
  });
}

t.test('pic-edge-survives on: the request of a level input follows its line all the same', async (t) => {
  const bench = new PicBench({ quirks: ['pic-edge-survives'] });
  bench.out(0x4d0, 0x20);
  bench.raise(5);
  bench.lower(5);
  t.equal(bench.intr, 0);
});
