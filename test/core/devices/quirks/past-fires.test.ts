import t from 'tap';
import { MODE32_CNF } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import {
  comparatorOf,
  configurationOf,
  oneShot,
  periodic,
  routed,
  turnOff,
  turnOn,
} from '../../../support/hpet-registers.js';
import { raises } from '../../../support/outputs.js';

const SECOND = 1_000_000_000;

t.test('past-fires on: a one-shot comparator that the counter has passed interrupts with its write', async (t) => {
  const bench = new BenchMachine({ quirks: ['past-fires'] });
  bench.writeHpet(configurationOf(2), routed(11));
  turnOn(bench);
  bench.advance(10_000);
  bench.writeHpet(comparatorOf(2), 999);
  t.same(raises(bench), [10_000]);
  bench.advance(SECOND);
  t.same(raises(bench), [], 'and only once');
});

t.test('past-fires off: such a comparator waits for the wrap of the counter', async (t) => {
  const bench = new BenchMachine({ quirks: [] });
  bench.writeHpet(configurationOf(2), routed(11));
  turnOn(bench);
  bench.advance(10_000);
  bench.writeHpet(comparatorOf(2), 999);
  bench.advance(SECOND);
  t.same(raises(bench), []);
});

t.test('past-fires: a comparator equal to the counter interrupts at once either way', async (t) => {
  for (const quirks of [['past-fires'], []] as const) {
    const bench = new BenchMachine({ quirks });
    bench.writeHpet(configurationOf(2), routed(11));
    turnOn(bench);
    bench.advance(10_000);
    bench.writeHpet(comparatorOf(2), 1000);
    t.same(raises(bench), [10_000], `with [${quirks}]`);
  }
});

t.test(
  'past-fires: a periodic comparator behind the counter interrupts once and catches up by whole periods',
  async (t) => {
    const bench = new BenchMachine({ quirks: ['past-fires'] });
    turnOn(bench);
    bench.advance(10_000);
    turnOff(bench);
    periodic(bench, 2, 11, 100, 300);
    turnOn(bench);
    t.same(raises(bench), [10_000]);
    t.equal(bench.readHpet(comparatorOf(2)), 1300n, '100 + 4 × 300 > 1000');
  },
);

t.test('past-fires: a 32-bit comparator is never past, only ahead by up to 2^32 ticks', async (t) => {
  const bench = new BenchMachine({ quirks: ['past-fires'] });
  turnOn(bench);
  bench.advance(10_000);
  oneShot(bench, 2, 11, 999, MODE32_CNF);
  t.same(raises(bench), []);
});

t.test('past-fires on: each write of a comparator that has passed interrupts', async (t) => {
  const bench = new BenchMachine({ quirks: ['past-fires'] });
  bench.writeHpet(configurationOf(2), routed(11));
  turnOn(bench);
  bench.advance(10_000);
  for (const comparator of [1, 500, 500]) bench.writeHpet(comparatorOf(2), comparator);
  t.same(raises(bench), [10_000, 10_000, 10_000]);
});
