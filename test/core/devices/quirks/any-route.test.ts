import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import { configurationOf, oneShot, routed, turnOn } from '../../../support/hpet-registers.js';
import { outputs } from '../../../support/outputs.js';

const CAPABILITY = 0x00f0_0004;

for (const [quirks, state] of [
  [['any-route'], 'on'],
  [[], 'off'],
] as const) {
  t.test(`any-route ${state}: which of the 32 routes read back and are used`, async (t) => {
    for (let route = 0; route < 32; route++) {
      const bench = new BenchMachine({ quirks, hpet: { routingCapability: CAPABILITY } });
      bench.writeHpet(configurationOf(1), routed(20));
      oneShot(bench, 1, route, 100);
      const isTaken = state === 'on' || ((CAPABILITY >> route) & 1) !== 0;
      const used = isTaken ? route : 20;
      t.equal(Number(bench.readHpet(configurationOf(1)) >> 9n) & 0x1f, used, `route ${route}`);
      turnOn(bench);
      bench.advance(1_000);
      t.same(outputs(bench, 'line'), [`line ${used} = 1 @1000`, `line ${used} = 0 @1000`]);
    }
  });
}
