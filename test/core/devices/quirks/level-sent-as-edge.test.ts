import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import { outputs } from '../../../support/outputs.js';
import { writeEntry } from '../../../support/redirection-entry.js';

for (const [quirks, state, sent] of [
  [['level-sent-as-edge'], 'on', ['pin 5 vector 0x45 edge @0']],
  [[], 'off', []],
] as const) {
  t.test(`level-sent-as-edge ${state}: a level request whose entry is unmasked in edge mode`, async (t) => {
    for (const level of [0, 1]) {
      const bench = new BenchMachine({ quirks });
      writeEntry(bench, 5, 0x1_8045);
      bench.setLine(5, 1);
      writeEntry(bench, 5, 0x1_0045);
      bench.setLine(5, level);
      writeEntry(bench, 5, 0x0045);
      t.same(outputs(bench, 'apic'), sent, `the line is ${level}`);
    }
  });
}

t.test(
  'level-sent-as-edge off: a line that was lowered in edge mode requests nothing, in either version',
  async (t) => {
    for (const version of [0x11, 0x20]) {
      for (const profile of ['standard', 'datasheet'] as const) {
        const bench = new BenchMachine({ profile, ioapic: { version } });
        writeEntry(bench, 16, 0x8050);
        bench.setLine(16, 1);
        t.equal(outputs(bench, 'apic').length, 1);
        bench.writeIoapic(0x30, 0x1_0050);
        bench.setLine(16, 0);
        bench.writeIoapic(0x30, 0x8050);
        bench.endOfInterrupt(0x50);
        t.same(outputs(bench, 'apic'), [], `${profile}, version ${version}`);
      }
    }
  },
);
