import t from 'tap';
import { INT_TYPE_CNF } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { periodic, turnOn } from '../../../support/hpet-registers.js';
import { outputs } from '../../../support/outputs.js';
import { writeEntry } from '../../../support/redirection-entry.js';

for (const [quirks, state, effect] of [
  [['edge-without-edge'], 'on', 'sends a message each time'],
  [[], 'off', 'sends one message, for the edge'],
] as const) {
  t.test(`edge-without-edge ${state}: an edge pin driven to 1 three times ${effect}`, async (t) => {
    const bench = new BenchMachine({ quirks });
    writeEntry(bench, 5, 0x41);
    for (let i = 0; i < 3; i++) bench.setLine(5, 1);
    const messages = outputs(bench, 'apic');
    t.same(messages, Array(quirks.length ? 3 : 1).fill('pin 5 vector 0x41 edge @0'));
  });

  t.test(`edge-without-edge ${state}: a level timer that fires into an edge pin ${effect}`, async (t) => {
    const bench = new BenchMachine({ quirks });
    writeEntry(bench, 11, 0x41);
    periodic(bench, 2, 11, 100, 100, INT_TYPE_CNF);
    turnOn(bench);
    bench.advance(3_000);
    const each = [1_000, 2_000, 3_000].map((time) => `pin 11 vector 0x41 edge @${time}`);
    t.same(outputs(bench, 'apic'), quirks.length ? each : each.slice(0, 1));
  });
}

t.test('edge-without-edge off: a new edge after the line was low sends again', async (t) => {
  const bench = new BenchMachine({ quirks: [] });
  writeEntry(bench, 5, 0x41);
  for (const level of [1, 0, 1]) bench.setLine(5, level);
  t.equal(outputs(bench, 'apic').length, 2);
});
