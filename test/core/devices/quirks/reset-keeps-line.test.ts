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

for (const [quirks, state, level] of [
  [['reset-keeps-line'], 'on', 1],
  [[], 'off', 0],
] as const) {
  t.test(`reset-keeps-line ${state}: the line of a pending level timer after a reset is ${level}`, async (t) => {
    t.equal(pending(quirks).machine.chipset.router.level(16), level);
  });

  t.test(`reset-keeps-line ${state}: the same of line 8 under legacy replacement`, async (t) => {
    const bench = new BenchMachine({ quirks });
    oneShot(bench, 1, 16, 100, INT_TYPE_CNF);
    turnOn(bench, true);
    bench.advance(1_000);
    bench.reset();
    t.equal(bench.machine.chipset.router.level(8), level);
  });
}
