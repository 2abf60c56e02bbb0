import t from 'tap';
import { FSB_EN_CNF, FSB_INT_DEL_CAP } from '../../../../src/core/devices/hpet/registers.js';
import type { Quirk } from '../../../../src/core/devices/quirks.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { configurationOf, fsbRouteOf, oneShot, turnOn } from '../../../support/hpet-registers.js';
import { outputs } from '../../../support/outputs.js';

function expireWithFsbBit(quirks: readonly Quirk[], msi: boolean): BenchMachine {
  const bench = new BenchMachine({ quirks, hpet: { msi } });
  bench.writeHpet(fsbRouteOf(2), 0xfee0_1000_0000_4055n);
  oneShot(bench, 2, 11, 100, FSB_EN_CNF);
  turnOn(bench);
  bench.advance(1_000);
  return bench;
}

t.test('fsb-without-capability on: the enable bit sends messages though the capability bit is clear', async (t) => {
  const bench = expireWithFsbBit(['fsb-without-capability'], false);
  t.same(outputs(bench), ['msi 0xfee01000 = 0x4055 @1000']);
  t.equal(bench.readHpet(configurationOf(2)) & BigInt(FSB_EN_CNF | FSB_INT_DEL_CAP), BigInt(FSB_EN_CNF));
});

t.test('fsb-without-capability off: the enable bit cannot be set, and the interrupt takes the line', async (t) => {
  const bench = expireWithFsbBit([], false);
  t.same(outputs(bench), ['line 11 = 1 @1000', 'line 11 = 0 @1000']);
  t.equal(bench.readHpet(configurationOf(2)) & BigInt(FSB_EN_CNF | FSB_INT_DEL_CAP), 0n);
});

t.test('fsb-without-capability: with the capability, messages are sent either way', async (t) => {
  for (const quirks of [['fsb-without-capability'], []] as const) {
    const bench = expireWithFsbBit(quirks, true);
    t.same(outputs(bench), ['msi 0xfee01000 = 0x4055 @1000'], `with [${quirks}]`);
  }
});
