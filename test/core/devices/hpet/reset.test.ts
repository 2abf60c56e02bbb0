import t from 'tap';
import { SOURCE_RTC } from '../../../../src/core/devices/gsi/sources.js';
import { INT_TYPE_CNF, INTERRUPT_STATUS, MAIN_COUNTER } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import {
  comparatorOf,
  configurationOf,
  fsbRouteOf,
  oneShot,
  periodic,
  turnOn,
} from '../../../support/hpet-registers.js';
import { outputs } from '../../../support/outputs.js';

t.test('a reset restores the registers, lowers the lines and cancels the timers', async (t) => {
  const bench = new BenchMachine({ hpet: { msi: true } });
  bench.writeHpet(fsbRouteOf(1), 0x1234);
  oneShot(bench, 1, 11, 100, INT_TYPE_CNF);
  periodic(bench, 2, 12, 1000, 1000);
  turnOn(bench);
  bench.advance(5_000);
  bench.takeEvents();
  bench.reset();
  t.same(outputs(bench), ['line 11 = 0 @5000']);
  bench.advance(100_000);
  t.same(outputs(bench), []);
  const fresh = new BenchMachine({ hpet: { msi: true } });
  for (const register of [0x000, 0x010, INTERRUPT_STATUS, MAIN_COUNTER]) {
    t.equal(bench.readHpet(register), fresh.readHpet(register), `register 0x${register.toString(16)}`);
  }
  for (const timer of [0, 1, 2]) {
    for (const register of [configurationOf(timer), comparatorOf(timer), fsbRouteOf(timer)]) {
      t.equal(bench.readHpet(register), fresh.readHpet(register), `register 0x${register.toString(16)}`);
    }
  }
});

t.test('after a reset a timer counts its least period anew', async (t) => {
  const bench = new BenchMachine();
  periodic(bench, 2, 12, 1000, 1000);
  turnOn(bench);
  bench.advance(15_000);
  bench.reset();
  bench.takeEvents();
  periodic(bench, 2, 12, 40, 1000);
  turnOn(bench);
  bench.advance(1_000);
  t.same(outputs(bench, 'line')[0], 'line 12 = 1 @15400');
});

t.test('a reset ends legacy replacement: the RTC has its line again', async (t) => {
  const bench = new BenchMachine();
  turnOn(bench, true);
  bench.setLegacyInput(SOURCE_RTC, 1);
  bench.reset();
  t.same(outputs(bench), ['line 8 = 1 @0']);
});
