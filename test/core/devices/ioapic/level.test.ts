import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import { outputs } from '../../../support/outputs.js';
import { highOf, lowOf, writeEntry } from '../../../support/redirection-entry.js';

const MASKED = 1 << 16;
const LEVEL = 1 << 15;
const REMOTE_IRR = 1 << 14;
const MESSAGE = ['pin 5 vector 0x45 level @0'];

t.test('a level pin sends once and sets remote IRR; while that is set, nothing is sent', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 5, LEVEL | 0x45);
  bench.setLine(5, 1);
  t.same(outputs(bench, 'apic'), MESSAGE);
  t.equal(bench.readIoapic(lowOf(5)), LEVEL | REMOTE_IRR | 0x45);
  bench.setLine(5, 0);
  bench.setLine(5, 1);
  bench.writeIoapic(highOf(5), 0x0100_0000);
  t.same(outputs(bench, 'apic'), [], 'further requests are one');
});

t.test('an EOI clears remote IRR, and sends again if the line is still high', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 5, LEVEL | 0x45);
  bench.setLine(5, 1);
  bench.endOfInterrupt(0x45);
  t.equal(outputs(bench, 'apic').length, 2);
  bench.setLine(5, 0);
  bench.endOfInterrupt(0x45);
  t.same(outputs(bench, 'apic'), []);
  t.equal(bench.readIoapic(lowOf(5)), LEVEL | 0x45);
});

t.test('a masked level request follows its line, and is sent when the entry is unmasked', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 5, MASKED | LEVEL | 0x45);
  bench.setLine(5, 1);
  bench.setLine(5, 0);
  writeEntry(bench, 5, LEVEL | 0x45);
  t.same(outputs(bench, 'apic'), []);
  writeEntry(bench, 5, MASKED | LEVEL | 0x45);
  bench.setLine(5, 1);
  writeEntry(bench, 5, LEVEL | 0x45);
  t.same(outputs(bench, 'apic'), MESSAGE);
});

t.test('writing an entry in edge mode clears remote IRR', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 5, LEVEL | 0x45);
  bench.setLine(5, 1);
  bench.setLine(5, 0);
  bench.writeIoapic(lowOf(5), 0x45);
  bench.writeIoapic(lowOf(5), LEVEL | 0x45);
  t.equal(bench.readIoapic(lowOf(5)), LEVEL | 0x45);
});

t.test('writing an entry in level mode keeps remote IRR', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 5, LEVEL | 0x45);
  bench.setLine(5, 1);
  bench.writeIoapic(lowOf(5), LEVEL | 0x46);
  t.equal(bench.readIoapic(lowOf(5)), LEVEL | REMOTE_IRR | 0x46);
});

t.test('polarity is stored and not used', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 5, LEVEL | (1 << 13) | 0x45);
  t.same(outputs(bench, 'apic'), []);
  bench.setLine(5, 1);
  t.same(outputs(bench, 'apic'), MESSAGE);
});

t.test('a write to any entry sends what waits, lowest pin first', async (t) => {
  const bench = new BenchMachine();
  for (const pin of [20, 3, 11]) {
    writeEntry(bench, pin, LEVEL | (0x40 + pin));
    bench.setLine(pin, 1);
  }
  bench.takeEvents();
  // Remote IRR of all three is cleared without sending: by edge mode, with the request latched and the entry masked.
  for (const pin of [20, 3, 11]) {
    bench.writeIoapic(lowOf(pin), MASKED | (0x40 + pin));
    bench.writeIoapic(lowOf(pin), MASKED | LEVEL | (0x40 + pin));
  }
  t.same(outputs(bench, 'apic'), []);
  for (const pin of [20, 3, 11]) bench.writeIoapic(lowOf(pin), LEVEL | (0x40 + pin));
  t.same(outputs(bench, 'apic'), [
    'pin 20 vector 0x54 level @0',
    'pin 3 vector 0x43 level @0',
    'pin 11 vector 0x4b level @0',
  ]);
});
