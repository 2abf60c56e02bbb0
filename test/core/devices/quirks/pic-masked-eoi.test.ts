import t from 'tap';
import { EOI, MASTER, PicBench } from '../../../support/pic-bench.js';

const SET_SPECIAL_MASK = 0x68;

for (const [quirks, state, left] of [
  [['pic-masked-eoi'], 'on', 0x08],
  [[], 'off', 0x02],
] as const) {
  t.test(`pic-masked-eoi ${state}: an EOI leaves 0x0${left} in service, with IR1 masked`, async (t) => {
    const bench = new PicBench({ quirks });
    bench.raise(3);
    bench.acknowledgeInterrupt();
    bench.raise(1);
    bench.acknowledgeInterrupt();
    bench.out(MASTER, SET_SPECIAL_MASK);
    bench.out(MASTER + 1, 0x02);
    bench.out(MASTER, EOI);
    t.equal(bench.isr(MASTER), left);
  });
}
