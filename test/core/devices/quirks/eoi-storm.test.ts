import t from 'tap';
import type { Quirk } from '../../../../src/core/devices/quirks.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { outputs } from '../../../support/outputs.js';
import { writeEntry } from '../../../support/redirection-entry.js';

const LEVEL = 1 << 15;
const STORM = 10_000;

/** A machine whose level pin 9 is stuck high. */
function stuck(quirks: readonly Quirk[]): BenchMachine {
  const bench = new BenchMachine({ quirks });
  writeEntry(bench, 9, LEVEL | 0x41);
  bench.setLine(9, 1);
  bench.takeEvents();
  return bench;
}

/** Sends `count` EOIs, and returns how often the interrupt was delivered again. */
function eois(bench: BenchMachine, count: number): number {
  for (let i = 0; i < count; i++) bench.endOfInterrupt(0x41);
  return outputs(bench, 'apic').length;
}

t.test('eoi-storm on: the 10,000th EOI in a row delivers nothing, and 10 ms later it does', async (t) => {
  const bench = stuck(['eoi-storm']);
  t.equal(eois(bench, STORM - 1), STORM - 1);
  t.equal(eois(bench, 1), 0);
  bench.advance(9_999_999);
  t.same(outputs(bench), []);
  bench.advance(1);
  t.same(outputs(bench), ['pin 9 vector 0x41 level @10000000']);
  t.equal(eois(bench, 1), 1, 'and the count restarts');
});

t.test('eoi-storm off: each EOI that finds the line high delivers at once', async (t) => {
  const bench = stuck([]);
  t.equal(eois(bench, STORM + 1), STORM + 1);
});

t.test('eoi-storm on: an EOI that finds the line low sets the count back', async (t) => {
  const bench = stuck(['eoi-storm']);
  eois(bench, STORM - 1);
  bench.setLine(9, 0);
  eois(bench, 1);
  bench.setLine(9, 1);
  bench.takeEvents();
  t.equal(eois(bench, STORM - 1), STORM - 1);
});

t.test('eoi-storm on: a write to the entry sets the count back', async (t) => {
  const bench = stuck(['eoi-storm']);
  eois(bench, STORM - 1);
  writeEntry(bench, 9, LEVEL | 0x41);
  t.equal(eois(bench, STORM - 1), STORM - 1);
});

t.test('eoi-storm on: a line that went low in the meantime is not delivered', async (t) => {
  const bench = stuck(['eoi-storm']);
  eois(bench, STORM);
  bench.setLine(9, 0);
  bench.advance(20_000_000);
  t.same(outputs(bench, 'apic'), []);
});
