import t from 'tap';
import { MAIN_COUNTER, MODE32_CNF } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { oneShot, turnOn } from '../../../support/hpet-registers.js';
import { raises } from '../../../support/outputs.js';

for (const [quirks, state, fired] of [
  [['wrap-fires-32'], 'on', [1_000, 1_500]],
  [[], 'off', [1_500]],
] as const) {
  t.test(`wrap-fires-32 ${state}: a 32-bit one-shot timer whose match lies beyond the wrap`, async (t) => {
    const bench = new BenchMachine({ quirks: [...quirks, 'one-shot-32-once'] });
    bench.writeHpet(MAIN_COUNTER, 0xffff_ff9cn);
    oneShot(bench, 2, 11, 50, MODE32_CNF);
    turnOn(bench);
    bench.advance(5_000);
    t.same(raises(bench), fired);
  });
}
