import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import { lowOf, writeEntry } from '../../../support/redirection-entry.js';

const MODES = { SMI: 2, NMI: 4, INIT: 5, ExtINT: 7 };

for (const [name, mode] of Object.entries(MODES)) {
  t.test(`level-nmi off: ${name} with bit 15 set sends an edge message for each edge`, async (t) => {
    for (const profile of ['standard', 'datasheet'] as const) {
      const bench = new BenchMachine({ profile });
      writeEntry(bench, 18, 0x8000 | (mode << 8));
      for (const level of [1, 0, 1]) bench.setLine(18, level);
      const messages = bench.takeEvents().filter((event) => event.kind === 'apic');
      t.match(messages, [
        { deliveryMode: mode, trigger: 0 },
        { deliveryMode: mode, trigger: 0 },
      ]);
      t.equal(messages.length, 2, profile);
      t.equal(bench.readIoapic(lowOf(18)), 0x8000 | (mode << 8), 'bit 15 reads back, and remote IRR is 0');
    }
  });

  t.test(`level-nmi on: ${name} with bit 15 set is level-triggered`, async (t) => {
    const bench = new BenchMachine({ quirks: ['level-nmi'] });
    writeEntry(bench, 18, 0x8000 | (mode << 8));
    for (const level of [1, 0, 1]) bench.setLine(18, level);
    const messages = bench.takeEvents().filter((event) => event.kind === 'apic');
    t.match(messages, [{ deliveryMode: mode, trigger: 1 }]);
    t.equal(messages.length, 1);
    t.equal(bench.readIoapic(lowOf(18)), 0xc000 | (mode << 8));
  });
}
