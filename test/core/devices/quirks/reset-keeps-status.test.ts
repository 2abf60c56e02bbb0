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

for (const [quirks, state, status] of [
  [['reset-keeps-status'], 'on', 4n],
  [[], 'off', 0n],
] as const) {
  t.test(`reset-keeps-status ${state}: General Interrupt Status after a reset is ${status}`, async (t) => {
    const bench = pending(quirks);
    t.equal(bench.readHpet(0x20), status);
    t.equal(bench.machine.chipset.router.level(16), 0);
  });
}

t.test('reset-keeps-status on: a second reset finds an edge-triggered timer, and clears its bit', async (t) => {
  const bench = pending(['reset-keeps-status']);
  bench.reset();
  t.equal(bench.readHpet(0x20), 0n);
});

t.test(
  'reset-keeps-status on: the bit of a timer that is edge-triggered now goes as the timer is enabled',
  async (t) => {
    const bench = pending(['reset-keeps-status']);
    oneShot(bench, 2, 16, 0);
    turnOn(bench);
    t.equal(bench.readHpet(0x20), 0n);
  },
);
