import t from 'tap';
import { GENERAL_CONFIGURATION, INTERRUPT_STATUS } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { comparatorOf, configurationOf, fsbRouteOf } from '../../../support/hpet-registers.js';

const ONES = (1n << 64n) - 1n;

t.test('of the general configuration, bits 0 and 1 can be written', async (t) => {
  const bench = new BenchMachine();
  bench.writeHpet(GENERAL_CONFIGURATION, ONES);
  t.equal(bench.readHpet(GENERAL_CONFIGURATION), 3n);
  bench.writeHpet(GENERAL_CONFIGURATION + 4, ONES & 0xffffffffn, 4);
  t.equal(bench.readHpet(GENERAL_CONFIGURATION), 3n, 'the upper half is reserved');
});

t.test('of a timer configuration, bits 1–3, 6 and 8–14 can be written', async (t) => {
  const bench = new BenchMachine({ hpet: { msi: true, routingCapability: 0x00f0_0000 } });
  const route = 0x1fn << 9n;
  bench.writeHpet(configurationOf(1), ONES ^ route ^ (23n << 9n));
  t.equal(bench.readHpet(configurationOf(1)), 0x00f0_0000_0000_ef7en);
  bench.writeHpet(configurationOf(1), ONES);
  t.equal(bench.readHpet(configurationOf(1)), 0x00f0_0000_0000_ef7en, 'route 31 is not supported');
  bench.writeHpet(configurationOf(1), 0);
  t.equal(bench.readHpet(configurationOf(1)), 0x00f0_0000_0000_ae30n, 'nor is route 0');
});

t.test('a status bit cannot be set by a write', async (t) => {
  const bench = new BenchMachine();
  bench.writeHpet(INTERRUPT_STATUS, ONES);
  t.equal(bench.readHpet(INTERRUPT_STATUS), 0n);
});

t.test('the FSB route is stored in full, by halves or at once', async (t) => {
  const bench = new BenchMachine({ hpet: { msi: true } });
  bench.writeHpet(fsbRouteOf(0), 0xfee0_0000_1234_5678n);
  t.equal(bench.readHpet(fsbRouteOf(0)), 0xfee0_0000_1234_5678n);
  bench.writeHpet(fsbRouteOf(0), 0x11, 4);
  bench.writeHpet(fsbRouteOf(0) + 4, 0x22, 4);
  t.equal(bench.readHpet(fsbRouteOf(0)), 0x22_0000_0011n);
});

t.test('the 32-bit mode bit cuts the comparator to 32 bits for good', async (t) => {
  const bench = new BenchMachine();
  bench.writeHpet(comparatorOf(0), 0x1234_5678_9abc_def0n);
  bench.writeHpet(configurationOf(0), 1 << 8);
  t.equal(bench.readHpet(comparatorOf(0)), 0x9abc_def0n);
  bench.writeHpet(comparatorOf(0) + 4, 0x7777, 4);
  t.equal(bench.readHpet(comparatorOf(0)), 0x9abc_def0n, 'its upper half takes no writes');
  bench.writeHpet(comparatorOf(0), 0x1111_2222_3333_4444n);
  t.equal(bench.readHpet(comparatorOf(0)), 0x3333_4444n);
  bench.writeHpet(configurationOf(0), 0);
  t.equal(bench.readHpet(comparatorOf(0)), 0x3333_4444n);
});
