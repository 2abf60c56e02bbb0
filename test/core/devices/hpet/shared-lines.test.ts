import t from 'tap';
import { INT_TYPE_CNF } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { acknowledge, oneShot, turnOn } from '../../../support/hpet-registers.js';
import { outputs } from '../../../support/outputs.js';
import { writeEntry } from '../../../support/redirection-entry.js';

const LEVEL = 1 << 15;

t.test('a line is high as long as one of several level timers holds it', async (t) => {
  const bench = new BenchMachine({ hpet: { timers: 24 } });
  for (let timer = 0; timer < 24; timer++) oneShot(bench, timer, 11, 100 + timer, INT_TYPE_CNF);
  turnOn(bench);
  bench.advance(2_000);
  t.same(outputs(bench), ['line 11 = 1 @1000']);
  for (let timer = 0; timer < 23; timer++) acknowledge(bench, timer);
  t.same(outputs(bench), []);
  acknowledge(bench, 23);
  t.same(outputs(bench), ['line 11 = 0 @2000']);
});

t.test('an IOAPIC pin is high as long as a timer or the external source holds it', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 11, LEVEL | 0x41);
  oneShot(bench, 2, 11, 100, INT_TYPE_CNF);
  turnOn(bench);
  bench.setLine(11, 1);
  bench.advance(1_000);
  acknowledge(bench, 2);
  t.equal(bench.machine.chipset.router.level(11), 1);
  t.equal(bench.machine.chipset.router.sources(11), 1 << 26);
  bench.setLine(11, 0);
  t.equal(bench.machine.chipset.router.level(11), 0);
});

t.test('a pulse on a line that is held is no edge', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 11, 0x41);
  oneShot(bench, 1, 11, 100, INT_TYPE_CNF);
  oneShot(bench, 2, 11, 200);
  turnOn(bench);
  bench.advance(3_000);
  t.same(outputs(bench), ['line 11 = 1 @1000', 'pin 11 vector 0x41 edge @1000']);
  acknowledge(bench, 1);
  t.same(outputs(bench), ['line 11 = 0 @3000'], 'and the pulse left the line held');
});

t.test('a pulse on a line that an external source holds is no edge', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 11, 0x41);
  oneShot(bench, 2, 11, 200);
  turnOn(bench);
  bench.setLine(11, 1);
  bench.takeEvents();
  bench.advance(3_000);
  t.same(outputs(bench, 'apic'), []);
  t.equal(bench.machine.chipset.router.level(11), 1);
});

t.test('lines 24 to 31 go nowhere', async (t) => {
  const bench = new BenchMachine();
  for (let pin = 0; pin < 24; pin++) writeEntry(bench, pin, 0x40 + pin);
  for (const [timer, line] of [24, 28, 31].entries()) oneShot(bench, timer, line, 100 + timer);
  turnOn(bench);
  bench.advance(3_000);
  t.same(outputs(bench, 'line').length, 6);
  t.same(outputs(bench, 'apic'), []);
});
