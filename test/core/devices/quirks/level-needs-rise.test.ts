import t from 'tap';
import { INT_TYPE_CNF } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { oneShot, turnOn } from '../../../support/hpet-registers.js';
import { outputs } from '../../../support/outputs.js';
import { writeEntry } from '../../../support/redirection-entry.js';

for (const [quirks, state, sent] of [
  [['level-needs-rise'], 'on', []],
  [[], 'off', ['pin 16 vector 0x50 level @0']],
] as const) {
  t.test(`level-needs-rise ${state}: a line that is high before its entry is level-triggered`, async (t) => {
    const bench = new BenchMachine({ quirks });
    bench.setLine(16, 1);
    writeEntry(bench, 16, 0x8050);
    t.same(outputs(bench, 'apic'), sent);
  });

  t.test(
    `level-needs-rise ${state}: the same after a reset, with a pending level timer, and masked first`,
    async (t) => {
      const reset = new BenchMachine({ quirks });
      writeEntry(reset, 16, 0x8050);
      reset.setLine(16, 1);
      reset.reset();
      reset.takeEvents();
      writeEntry(reset, 16, 0x8050);
      t.same(outputs(reset, 'apic'), sent, 'after a reset');

      const timer = new BenchMachine({ quirks });
      oneShot(timer, 2, 16, 0, INT_TYPE_CNF);
      turnOn(timer);
      timer.takeEvents();
      writeEntry(timer, 16, 0x8050);
      t.same(outputs(timer, 'apic'), sent, 'a timer');

      const masked = new BenchMachine({ quirks });
      masked.setLine(16, 1);
      writeEntry(masked, 16, 0x1_8050);
      t.same(outputs(masked, 'apic'), []);
      writeEntry(masked, 16, 0x8050);
      t.same(outputs(masked, 'apic'), sent, 'unmasked after it became level-triggered');
    },
  );
}

t.test('level-needs-rise off: standard and datasheet deliver, and again after each EOI', async (t) => {
  for (const profile of ['standard', 'datasheet'] as const) {
    const bench = new BenchMachine({ profile });
    bench.setLine(16, 1);
    writeEntry(bench, 16, 0x8050);
    bench.endOfInterrupt(0x50);
    bench.setLine(16, 0);
    bench.endOfInterrupt(0x50);
    t.equal(outputs(bench, 'apic').length, 2, profile);
  }
});
