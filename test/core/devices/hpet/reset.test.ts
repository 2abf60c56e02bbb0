import t from 'tap';
import { SOURCE_PIT, SOURCE_RTC } from '../../../../src/core/devices/gsi/sources.js';
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
import { writeEntry } from '../../../support/redirection-entry.js';

/** Both chips of the pair, with no input masked. */
const INITIALISATION = [
  ...[0x11, 0x20, 4, 1, 0].map((value, n) => [n === 0 ? 0x20 : 0x21, value] as const),
  ...[0x11, 0x28, 2, 1, 0].map((value, n) => [n === 0 ? 0xa0 : 0xa1, value] as const),
];

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

t.test('a reset restarts the least period of a timer', async (t) => {
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

t.test('a reset sends nothing through an entry that it clears', async (t) => {
  for (const profile of ['standard', 'datasheet', 'qemu-11.1'] as const) {
    const bench = new BenchMachine({ profile });
    for (const other of [0, 2]) bench.writeHpet(comparatorOf(other), 1_000_000);
    for (const pin of [2, 8, 16]) writeEntry(bench, pin, 0x30 + pin);
    bench.setLegacyInput(SOURCE_PIT, 1);
    bench.setLegacyInput(SOURCE_RTC, 1);
    oneShot(bench, 1, 16, 100, INT_TYPE_CNF);
    turnOn(bench, true);
    bench.advance(1_000);
    bench.setLine(16, 1);
    bench.takeEvents();
    bench.reset();
    t.same(outputs(bench, 'apic'), [], profile);
  }
});

t.test('a reset sends nothing through the 8259 pair that it clears', async (t) => {
  for (const profile of ['standard', 'datasheet', 'qemu-11.1'] as const) {
    const bench = new BenchMachine({ profile });
    for (const [port, value] of INITIALISATION) bench.portWrite(port, value);
    turnOn(bench, true);
    bench.setLegacyInput(SOURCE_RTC, 1);
    bench.reset();
    t.same(outputs(bench, 'intr'), [], `${profile}: the RTC gets line 8 back`);
  }
});
