import t from 'tap';
import { MODE32_CNF } from '../../../../src/core/devices/hpet/registers.js';
import type { Quirk } from '../../../../src/core/devices/quirks.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { comparatorOf, configurationOf, oneShot, routed, turnOff, turnOn } from '../../../support/hpet-registers.js';
import { raises } from '../../../support/outputs.js';

/** A machine whose timer 2 has expired at tick 100, now 10 µs ago. */
function expired(quirks: readonly Quirk[]): BenchMachine {
  const bench = new BenchMachine({ quirks });
  oneShot(bench, 2, 11, 100);
  turnOn(bench);
  bench.advance(11_000);
  bench.takeEvents();
  return bench;
}

for (const [quirks, again] of [
  [['expired-fires-again'], [11_000]],
  [[], []],
] as const) {
  const state = quirks.length ? 'on' : 'off';
  const effect = quirks.length ? 'interrupts again' : 'stays silent';

  t.test(`expired-fires-again ${state}: an expired one-shot ${effect} when its configuration is written`, async (t) => {
    const bench = expired(quirks);
    bench.writeHpet(configurationOf(2), routed(11));
    t.same(raises(bench), again);
  });

  t.test(`expired-fires-again ${state}: an expired one-shot ${effect} when the HPET is turned on`, async (t) => {
    const bench = expired(quirks);
    turnOff(bench);
    turnOn(bench);
    t.same(raises(bench), again);
  });

  t.test(`expired-fires-again ${state}: in the tick of its match too`, async (t) => {
    const bench = new BenchMachine({ quirks });
    oneShot(bench, 2, 11, 1100);
    turnOn(bench);
    bench.advance(11_000);
    bench.takeEvents();
    bench.writeHpet(configurationOf(2), routed(11));
    t.same(raises(bench), again);
  });
}

t.test('expired-fires-again off: a comparator write makes an expired timer a new one', async (t) => {
  const bench = expired([]);
  bench.writeHpet(comparatorOf(2), 1200);
  bench.advance(5_000);
  t.same(raises(bench), [12_000]);
});

t.test('expired-fires-again off: a counter set back meets the comparator again', async (t) => {
  const bench = expired([]);
  turnOff(bench);
  bench.writeHpet(0x0f0, 0);
  turnOn(bench);
  bench.advance(5_000);
  t.same(raises(bench), [12_000]);
});

t.test('expired-fires-again off: an expired 32-bit timer too stays silent in the tick of its match', async (t) => {
  for (const [quirks, again] of [
    [['expired-fires-again'], [1_000]],
    [[], []],
  ] as const) {
    const bench = new BenchMachine({ quirks });
    oneShot(bench, 2, 11, 100, MODE32_CNF);
    turnOn(bench);
    bench.advance(1_000);
    bench.takeEvents();
    bench.writeHpet(configurationOf(2), routed(11) | MODE32_CNF);
    t.same(raises(bench), again, `with [${quirks}]`);
  }
});
