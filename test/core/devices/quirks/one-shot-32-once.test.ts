import t from 'tap';
import { MODE32_CNF } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { comparatorOf, configurationOf, oneShot, routed, turnOff, turnOn } from '../../../support/hpet-registers.js';
import { raises } from '../../../support/outputs.js';

/** Ticks in which the low half of the counter wraps, in ns. */
const WRAP_NS = 42_949_672_960;

function expired(bench: BenchMachine): BenchMachine {
  oneShot(bench, 2, 11, 100, MODE32_CNF);
  turnOn(bench);
  bench.advance(11_000);
  t.same(raises(bench), [1_000]);
  return bench;
}

for (const [quirks, state, again] of [
  [['one-shot-32-once'], 'on', []],
  [[], 'off', [1_000 + WRAP_NS, 1_000 + 2 * WRAP_NS]],
] as const) {
  t.test(`one-shot-32-once ${state}: what an expired 32-bit timer does at the next matches`, async (t) => {
    const bench = expired(new BenchMachine({ quirks }));
    bench.advance(2 * WRAP_NS);
    t.same(raises(bench), again);
  });

  t.test(`one-shot-32-once ${state}: the same after a write to its configuration, and a restart`, async (t) => {
    const bench = expired(new BenchMachine({ quirks }));
    bench.writeHpet(configurationOf(2), routed(11) | MODE32_CNF);
    t.same(raises(bench), []);
    turnOff(bench);
    turnOn(bench);
    bench.advance(2 * WRAP_NS);
    t.same(raises(bench), again);
  });
}

t.test('one-shot-32-once on: a write of the comparator makes it a new timer', async (t) => {
  const bench = expired(new BenchMachine({ profile: 'standard' }));
  bench.writeHpet(comparatorOf(2), 2_000);
  bench.advance(WRAP_NS);
  t.same(raises(bench), [20_000]);
});

t.test('one-shot-32-once off: a main loop that slept over many matches makes one interrupt of them', async (t) => {
  const bench = new BenchMachine({ profile: 'datasheet' });
  oneShot(bench, 2, 11, 100, MODE32_CNF);
  turnOn(bench);
  bench.mainLoopMachine.clock.moveTo(5.5 * WRAP_NS);
  bench.advance(6.1 * WRAP_NS);
  const deadlines = bench
    .takeEvents()
    .flatMap((event) => (event.kind === 'line' && event.level ? [event.deadline] : []));
  t.same(deadlines, [1_000, 1_000 + 6 * WRAP_NS]);
});
