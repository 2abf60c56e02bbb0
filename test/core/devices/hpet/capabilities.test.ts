import t from 'tap';
import { GENERAL_CAPABILITIES, MAX_TIMERS, MIN_TIMERS } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { comparatorOf, configurationOf, fsbRouteOf } from '../../../support/hpet-registers.js';

t.test('the capabilities register tells the period, the vendor and the number of the last timer', async (t) => {
  for (let timers = MIN_TIMERS; timers <= MAX_TIMERS; timers++) {
    const bench = new BenchMachine({ hpet: { timers } });
    const expected = (10_000_000n << 32n) | 0x8086_a001n | (BigInt(timers - 1) << 8n);
    t.equal(bench.readHpet(GENERAL_CAPABILITIES), expected, `${timers} timers`);
  }
});

t.test('the capabilities register cannot be written', async (t) => {
  const bench = new BenchMachine();
  const before = bench.readHpet(GENERAL_CAPABILITIES);
  bench.writeHpet(GENERAL_CAPABILITIES, (1n << 64n) - 1n);
  t.equal(bench.readHpet(GENERAL_CAPABILITIES), before);
});

t.test('every timer has a block of registers, and behind the last one all read 0', async (t) => {
  for (const timers of [MIN_TIMERS, 8, MAX_TIMERS]) {
    const bench = new BenchMachine({ hpet: { timers, msi: true, routingCapability: 0x00ff_0104 } });
    for (let timer = 0; timer < MAX_TIMERS; timer++) {
      const exists = timer < timers;
      t.equal(
        bench.readHpet(configurationOf(timer)),
        exists ? 0x00ff_0104_0000_8030n : 0n,
        `timer ${timer} of ${timers}`,
      );
      t.equal(bench.readHpet(comparatorOf(timer)), exists ? (1n << 64n) - 1n : 0n);
      t.equal(bench.readHpet(fsbRouteOf(timer)), 0n);
    }
  }
});

t.test('a timer without the FSB capability does not report it', async (t) => {
  const bench = new BenchMachine({ hpet: { msi: false, routingCapability: 0 } });
  t.equal(bench.readHpet(configurationOf(0)), 0x30n);
});

t.test('writes to a timer that does not exist are ignored', async (t) => {
  const bench = new BenchMachine({ hpet: { timers: 3 } });
  bench.writeHpet(comparatorOf(3), 5);
  t.equal(bench.readHpet(comparatorOf(3)), 0n);
});
