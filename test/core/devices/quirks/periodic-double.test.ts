import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import { comparatorOf, periodic, turnOn } from '../../../support/hpet-registers.js';
import { raises } from '../../../support/outputs.js';

t.test(
  'periodic-double on: each period shows two interrupts, 1 µs apart, and the comparator moves at the second',
  async (t) => {
    const bench = new BenchMachine({ quirks: ['periodic-double'] });
    periodic(bench, 2, 11, 1000, 1000);
    turnOn(bench);
    bench.advance(10_500);
    t.same(raises(bench), [10_000]);
    t.equal(bench.readHpet(comparatorOf(2)), 1000n);
    bench.advance(1_000);
    t.same(raises(bench), [11_000]);
    t.equal(bench.readHpet(comparatorOf(2)), 2000n);
    bench.advance(10_000);
    t.same(raises(bench), [20_000, 21_000]);
  },
);

t.test('periodic-double off: each period shows one interrupt, and the comparator moves with it', async (t) => {
  const bench = new BenchMachine({ quirks: [] });
  periodic(bench, 2, 11, 1000, 1000);
  turnOn(bench);
  bench.advance(10_500);
  t.same(raises(bench), [10_000]);
  t.equal(bench.readHpet(comparatorOf(2)), 2000n);
  bench.advance(11_000);
  t.same(raises(bench), [20_000]);
});

t.test('periodic-double: a period that ends within the microsecond hides the second interrupt', async (t) => {
  const bench = new BenchMachine({ quirks: ['periodic-double'] });
  periodic(bench, 2, 11, 100, 60);
  turnOn(bench);
  // The second interrupt, at 2,000 ns, comes 100 ticks after the match: the next comparator is 100 + 2 × 60.
  bench.advance(2_100);
  t.same(raises(bench), [1_000, 2_000]);
  t.equal(bench.readHpet(comparatorOf(2)), 220n);
});
