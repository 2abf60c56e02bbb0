import t from 'tap';
import { INT_TYPE_CNF } from '../../../../src/core/devices/hpet/registers.js';
import type { Quirk } from '../../../../src/core/devices/quirks.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { acknowledge, oneShot, turnOn } from '../../../support/hpet-registers.js';
import { outputs } from '../../../support/outputs.js';
import { writeEntry } from '../../../support/redirection-entry.js';

const LEVEL = 1 << 15;

/** A machine in which a timer and the external source both drive GSI 11 to 1, into a level pin. */
function bothHigh(quirks: readonly Quirk[]): BenchMachine {
  const bench = new BenchMachine({ quirks });
  writeEntry(bench, 11, LEVEL | 0x41);
  oneShot(bench, 2, 11, 100, INT_TYPE_CNF);
  turnOn(bench);
  bench.advance(1_000);
  bench.setLine(11, 1);
  bench.takeEvents();
  return bench;
}

t.test(
  'last-writer-wins on: an external source that goes low lowers the pin though a timer holds the line',
  async (t) => {
    const bench = bothHigh(['last-writer-wins']);
    bench.setLine(11, 0);
    t.equal(bench.machine.chipset.router.level(11), 0);
    bench.endOfInterrupt(0x41);
    t.same(outputs(bench, 'apic'), [], 'nothing is delivered again');
  },
);

t.test('last-writer-wins off: the pin is high as long as one driver is', async (t) => {
  const bench = bothHigh([]);
  bench.setLine(11, 0);
  t.equal(bench.machine.chipset.router.level(11), 1);
  bench.endOfInterrupt(0x41);
  t.same(outputs(bench, 'apic'), ['pin 11 vector 0x41 level @1000'], 'the EOI delivers again');
  acknowledge(bench, 2);
  bench.endOfInterrupt(0x41);
  t.equal(bench.machine.chipset.router.level(11), 0);
  t.same(outputs(bench, 'apic'), []);
});

t.test('last-writer-wins on: acknowledging the timer lowers the pin though the external source holds it', async (t) => {
  const bench = bothHigh(['last-writer-wins']);
  acknowledge(bench, 2);
  t.equal(bench.machine.chipset.router.level(11), 0);
});

t.test('last-writer-wins: the line of the HPET is reported with its own level in both cases', async (t) => {
  for (const quirks of [['last-writer-wins'], []] as const) {
    const bench = bothHigh(quirks);
    bench.setLine(11, 0);
    acknowledge(bench, 2);
    t.same(outputs(bench, 'line'), ['line 11 = 0 @1000', 'line 11 = 0 @1000'], `with [${quirks}]`);
  }
});

t.test('last-writer-wins: inputs 0 and 2 are one pin, by the last driver or as a wired OR', async (t) => {
  for (const [quirks, again] of [
    [['last-writer-wins'], 0],
    [[], 1],
  ] as const) {
    const bench = new BenchMachine({ quirks });
    writeEntry(bench, 2, LEVEL | 0x42);
    bench.setLine(0, 1);
    bench.setLine(2, 1);
    bench.setLine(0, 0);
    bench.takeEvents();
    bench.endOfInterrupt(0x42);
    t.equal(outputs(bench, 'apic').length, again, `with [${quirks}]`);
  }
});
