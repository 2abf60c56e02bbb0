import t from 'tap';
import { MAIN_COUNTER } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { comparatorOf, oneShot, periodic, turnOn } from '../../../support/hpet-registers.js';
import { raises } from '../../../support/outputs.js';

const SECOND = 1_000_000_000;
/** The first tick whose time in ns has bit 63 set. */
const HUGE = (1n << 63n) / 10n + 1n;

t.test('huge-comparator on: a one-shot comparator of 2^63 ns and more interrupts at once', async (t) => {
  for (const comparator of [HUGE, (1n << 64n) - 1n]) {
    const bench = new BenchMachine({ quirks: ['huge-comparator'] });
    oneShot(bench, 2, 11, comparator);
    turnOn(bench);
    t.same(raises(bench), [0], `comparator 0x${comparator.toString(16)}`);
    t.equal(bench.readHpet(comparatorOf(2)), comparator);
  }
});

t.test('huge-comparator off: it lies centuries ahead, the reset value too', async (t) => {
  for (const comparator of [HUGE, (1n << 64n) - 1n]) {
    const bench = new BenchMachine({ quirks: [] });
    oneShot(bench, 2, 11, comparator);
    turnOn(bench);
    bench.advance(SECOND);
    t.same(raises(bench), [], `comparator 0x${comparator.toString(16)}`);
  }
});

t.test('huge-comparator: the largest comparator below 2^63 ns waits either way', async (t) => {
  for (const quirks of [['huge-comparator'], []] as const) {
    const bench = new BenchMachine({ quirks });
    oneShot(bench, 2, 11, HUGE - 1n);
    turnOn(bench);
    bench.advance(SECOND);
    t.same(raises(bench), [], `with [${quirks}]`);
  }
});

t.test(
  'huge-comparator: a running counter is a number of nanoseconds modulo 2^64, or a tick modulo 2^64',
  async (t) => {
    for (const [quirks, expected] of [
      [['huge-comparator'], ((1n << 64n) - 10n) / 10n],
      [[], (1n << 64n) - 1n],
    ] as const) {
      const bench = new BenchMachine({ quirks });
      bench.writeHpet(MAIN_COUNTER, (1n << 64n) - 1n);
      turnOn(bench);
      t.equal(bench.readHpet(MAIN_COUNTER), expected, `with [${quirks}]`);
    }
  },
);

t.test('huge-comparator on: a periodic timer with one interrupts each microsecond, and time goes on', async (t) => {
  const bench = new BenchMachine({ quirks: ['huge-comparator'] });
  periodic(bench, 2, 11, HUGE, 1000);
  turnOn(bench);
  bench.advance(3_500);
  t.same(raises(bench), [0, 1_000, 2_000, 3_000]);
});
