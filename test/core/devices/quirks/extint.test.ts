import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import { writeEntry } from '../../../support/redirection-entry.js';

const EXT_INT = 7 << 8;

for (const [quirks, state, vector, effect] of [
  [['extint'], 'on', 0x07, 'carries the vector that the 8259 pair answers, here its spurious one'],
  [[], 'off', 0x55, 'carries the vector of its entry'],
] as const) {
  t.test(`extint ${state}: a message with delivery mode ExtINT ${effect}`, async (t) => {
    const bench = new BenchMachine({ quirks });
    writeEntry(bench, 9, EXT_INT | 0x55);
    bench.setLine(9, 1);
    const [message] = bench.takeEvents().filter((event) => event.kind === 'apic');
    t.match(message, { pin: 9, deliveryMode: 7, vector });
  });
}
