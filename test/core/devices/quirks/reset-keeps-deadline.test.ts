import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import { periodic, turnOn } from '../../../support/hpet-registers.js';
import { raises } from '../../../support/outputs.js';

for (const [keeps, state, first] of [
  [['reset-keeps-deadline'], 'on', 2000],
  [[], 'off', 1510],
] as const) {
  t.test(`reset-keeps-deadline ${state}: the first interrupt after a reset comes at ${first} ns`, async (t) => {
    const bench = new BenchMachine({ quirks: ['min-1us', ...keeps] });
    periodic(bench, 2, 12, 100, 1000);
    turnOn(bench);
    bench.advance(10);
    bench.reset();
    bench.advance(1_400);
    bench.takeEvents();
    periodic(bench, 2, 12, 10, 1000);
    turnOn(bench);
    bench.advance(3_000);
    t.equal(raises(bench)[0], first);
  });
}
