import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import { outputs } from '../../../support/outputs.js';
import { lowOf, writeEntry } from '../../../support/redirection-entry.js';

const MASKED = 1 << 16;

t.test('an edge pin sends one message per rising edge, on every pin', async (t) => {
  const bench = new BenchMachine();
  for (let pin = 1; pin < 24; pin++) {
    writeEntry(bench, pin, 0x40 + pin);
    bench.setLine(pin, 1);
    bench.setLine(pin, 0);
    t.same(outputs(bench), [
      `line ${pin} = 1 @0`,
      `pin ${pin} vector 0x${(0x40 + pin).toString(16)} edge @0`,
      `line ${pin} = 0 @0`,
    ]);
  }
});

t.test('input 0 acts on pin 2', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 0, 0x40);
  writeEntry(bench, 2, 0x42);
  bench.setLine(0, 1);
  t.same(outputs(bench, 'apic'), ['pin 2 vector 0x42 edge @0']);
});

t.test('an edge on a masked pin is lost', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 5, MASKED | 0x45);
  bench.setLine(5, 1);
  writeEntry(bench, 5, 0x45);
  t.same(outputs(bench, 'apic'), []);
});

t.test('an edge message needs no EOI, and sets no remote IRR', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 5, 0x45);
  bench.setLine(5, 1);
  t.equal(bench.readIoapic(lowOf(5)), 0x45);
  bench.setLine(5, 0);
  bench.setLine(5, 1);
  t.equal(outputs(bench, 'apic').length, 2);
});
