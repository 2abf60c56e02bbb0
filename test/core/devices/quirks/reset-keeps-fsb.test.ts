import t from 'tap';
import { INT_TYPE_CNF } from '../../../../src/core/devices/hpet/registers.js';
import type { Quirk } from '../../../../src/core/devices/quirks.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { fsbRouteOf, oneShot, turnOn } from '../../../support/hpet-registers.js';

/** A machine whose timer 2 holds line 16 with its level interrupt. */
function pending(quirks: readonly Quirk[], extra = 0): BenchMachine {
  const bench = new BenchMachine({ quirks, hpet: { msi: true } });
  bench.writeHpet(fsbRouteOf(2), 0xfee0_1000_0000_4055n);
  oneShot(bench, 2, 16, 100, INT_TYPE_CNF | extra);
  turnOn(bench);
  bench.advance(1_000);
  bench.takeEvents();
  bench.reset();
  return bench;
}

for (const [quirks, state, route] of [
  [['reset-keeps-fsb'], 'on', 0xfee0_1000_0000_4055n],
  [[], 'off', 0n],
] as const) {
  t.test(`reset-keeps-fsb ${state}: the FSB route after a reset`, async (t) => {
    t.equal(pending(quirks).readHpet(fsbRouteOf(2)), route);
  });
}
