import t from 'tap';
import { SOURCE_RTC } from '../../../../src/core/devices/gsi/sources.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { turnOn } from '../../../support/hpet-registers.js';
import { outputs } from '../../../support/outputs.js';

for (const [quirks, state, level] of [
  [['reset-clears-rtc'], 'on', 0],
  [[], 'off', 1],
] as const) {
  t.test(
    `reset-clears-rtc ${state}: line 8 after a reset that ends legacy replacement, with the RTC high`,
    async (t) => {
      const bench = new BenchMachine({ quirks });
      turnOn(bench, true);
      bench.setLegacyInput(SOURCE_RTC, 1);
      bench.reset();
      t.equal(bench.machine.chipset.router.level(8), level);
    },
  );

  t.test(`reset-clears-rtc ${state}: line 8 after a reset without legacy replacement, with the RTC high`, async (t) => {
    const bench = new BenchMachine({ quirks });
    bench.setLegacyInput(SOURCE_RTC, 1);
    bench.takeEvents();
    bench.reset();
    t.same(outputs(bench, 'line'), level ? [] : ['line 8 = 0 @0']);
  });
}
