import t from 'tap';
import { FSB_EN_CNF, INT_TYPE_CNF, INTERRUPT_STATUS } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import {
  acknowledge,
  configurationOf,
  fsbRouteOf,
  oneShot,
  periodic,
  routed,
  turnOff,
  turnOn,
} from '../../../support/hpet-registers.js';
import { outputs } from '../../../support/outputs.js';

function withFsb(): BenchMachine {
  const bench = new BenchMachine({ hpet: { msi: true } });
  bench.writeHpet(fsbRouteOf(2), 0xfee0_1004_dead_beefn);
  return bench;
}

t.test('an FSB timer writes its data to its address, and drives no line', async (t) => {
  const bench = withFsb();
  oneShot(bench, 2, 11, 100, FSB_EN_CNF);
  turnOn(bench);
  bench.advance(1_000);
  t.same(outputs(bench), ['msi 0xfee01004 = 0xdeadbeef @1000']);
});

t.test('a periodic FSB timer sends a message per period, to where the register says by then', async (t) => {
  const bench = withFsb();
  periodic(bench, 2, 11, 100, 100, FSB_EN_CNF);
  turnOn(bench);
  bench.advance(1_000);
  bench.writeHpet(fsbRouteOf(2), 0x42, 4);
  bench.advance(1_000);
  t.same(outputs(bench), ['msi 0xfee01004 = 0xdeadbeef @1000', 'msi 0xfee01004 = 0x42 @2000']);
});

t.test('a level FSB timer sets its status bit; an acknowledgement touches no line', async (t) => {
  const bench = withFsb();
  oneShot(bench, 2, 11, 100, FSB_EN_CNF | INT_TYPE_CNF);
  turnOn(bench);
  bench.advance(1_000);
  t.equal(bench.readHpet(INTERRUPT_STATUS), 4n);
  bench.takeEvents();
  acknowledge(bench, 2);
  t.equal(bench.readHpet(INTERRUPT_STATUS), 0n);
  t.same(outputs(bench), []);
});

t.test('a pending FSB timer sends its message when the HPET is turned on', async (t) => {
  const bench = withFsb();
  oneShot(bench, 2, 11, 100, FSB_EN_CNF | INT_TYPE_CNF);
  turnOn(bench);
  bench.advance(1_000);
  turnOff(bench);
  turnOn(bench);
  t.same(outputs(bench), ['msi 0xfee01004 = 0xdeadbeef @1000', 'msi 0xfee01004 = 0xdeadbeef @1000']);
});

t.test('clearing the FSB bit of a pending timer raises its line', async (t) => {
  const bench = withFsb();
  oneShot(bench, 2, 11, 100, FSB_EN_CNF | INT_TYPE_CNF);
  turnOn(bench);
  bench.advance(1_000);
  bench.takeEvents();
  bench.writeHpet(configurationOf(2), routed(11) | INT_TYPE_CNF);
  t.same(outputs(bench), ['line 11 = 1 @1000']);
});
