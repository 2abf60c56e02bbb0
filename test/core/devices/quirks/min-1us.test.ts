import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import { comparatorOf, oneShot, periodic, turnOn } from '../../../support/hpet-registers.js';
import { raises } from '../../../support/outputs.js';

t.test(
  'min-1us on: a period of 100 ns interrupts once per microsecond, and the comparator skips periods',
  async (t) => {
    const bench = new BenchMachine({ quirks: ['min-1us'] });
    periodic(bench, 2, 11, 200, 10);
    turnOn(bench);
    bench.advance(5_050);
    t.same(raises(bench), [2_000, 3_000, 4_000, 5_000]);
    t.equal(bench.readHpet(comparatorOf(2)), 510n);
  },
);

t.test('min-1us off: a period of 100 ns interrupts every 100 ns', async (t) => {
  const bench = new BenchMachine({ quirks: [] });
  periodic(bench, 2, 11, 200, 10);
  turnOn(bench);
  bench.advance(2_350);
  t.same(raises(bench), [2_000, 2_100, 2_200, 2_300]);
  t.equal(bench.readHpet(comparatorOf(2)), 240n);
});

t.test('min-1us: the first periodic deadline counts from 0 ns, and so is 1 µs at least', async (t) => {
  for (const [quirks, first] of [
    [['min-1us'], 1_000],
    [[], 300],
  ] as const) {
    const bench = new BenchMachine({ quirks });
    periodic(bench, 2, 11, 30, 1000);
    turnOn(bench);
    bench.advance(5_000);
    t.same(raises(bench), [first], `with [${quirks}]`);
  }
});

t.test('min-1us: one-shot timers are as short as they are written', async (t) => {
  const bench = new BenchMachine({ quirks: ['min-1us'] });
  oneShot(bench, 2, 11, 30);
  turnOn(bench);
  bench.advance(5_000);
  t.same(raises(bench), [300]);
});
