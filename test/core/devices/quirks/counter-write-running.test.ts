import t from 'tap';
import { MAIN_COUNTER } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { oneShot, turnOff, turnOn } from '../../../support/hpet-registers.js';
import { raises } from '../../../support/outputs.js';

t.test('counter-write-running on: the counter goes on as if nothing was written, and halts where it was', async (t) => {
  const bench = new BenchMachine({ quirks: ['counter-write-running'] });
  turnOn(bench);
  bench.advance(1_000);
  bench.writeHpet(MAIN_COUNTER, 5_000_000);
  t.equal(bench.readHpet(MAIN_COUNTER), 100n);
  bench.advance(500);
  t.equal(bench.readHpet(MAIN_COUNTER), 150n);
  turnOff(bench);
  t.equal(bench.readHpet(MAIN_COUNTER), 150n);
});

t.test('counter-write-running off: the counter goes on from the written value', async (t) => {
  const bench = new BenchMachine({ quirks: [] });
  turnOn(bench);
  bench.advance(1_000);
  bench.writeHpet(MAIN_COUNTER, 5_000_000);
  t.equal(bench.readHpet(MAIN_COUNTER), 5_000_000n);
  bench.advance(500);
  t.equal(bench.readHpet(MAIN_COUNTER), 5_000_050n);
  turnOff(bench);
  t.equal(bench.readHpet(MAIN_COUNTER), 5_000_050n);
});

t.test('counter-write-running: timers fire where the counter really meets them', async (t) => {
  for (const [quirks, expected] of [
    [['counter-write-running'], [20_000]],
    [[], [11_000]],
  ] as const) {
    const bench = new BenchMachine({ quirks });
    oneShot(bench, 2, 11, 2000);
    turnOn(bench);
    bench.advance(1_000);
    bench.writeHpet(MAIN_COUNTER, 1000);
    bench.advance(30_000);
    t.same(raises(bench), expected, `with [${quirks}]`);
  }
});

t.test('counter-write-running: writes to the halted counter are kept either way', async (t) => {
  for (const quirks of [['counter-write-running'], []] as const) {
    const bench = new BenchMachine({ quirks });
    bench.writeHpet(MAIN_COUNTER, 77);
    t.equal(bench.readHpet(MAIN_COUNTER), 77n, `with [${quirks}]`);
  }
});
