import t from 'tap';
import { BenchMachine } from './bench-machine.js';

const TIMER_0 = 0x100;

t.test('a one-shot timer raises its line, and a level entry sends again after an EOI', async (t) => {
  const bench = new BenchMachine();
  bench.writeIoapic(0x10 + 2 * 10, 0x8031);
  bench.writeHpet(TIMER_0 + 8, 100);
  bench.writeHpet(TIMER_0, (10 << 9) | (1 << 2) | (1 << 1));
  bench.writeHpet(0x10, 1);
  t.same(bench.takeEvents(), []);
  bench.advance(999);
  t.same(bench.takeEvents(), []);
  bench.advance(1);
  t.match(bench.takeEvents(), [
    { kind: 'line', gsi: 10, level: 1, source: 'timer 0', virtualTime: 1000, deadline: 1000 },
    { kind: 'apic', pin: 10, vector: 0x31, trigger: 1 },
  ]);
  bench.endOfInterrupt(0x31);
  t.match(bench.takeEvents(), [{ kind: 'apic', pin: 10, vector: 0x31 }]);
  t.equal(bench.readHpet(0xf0), 100n);
  bench.writeHpet(0x20, 1);
  t.match(bench.takeEvents(), [{ kind: 'line', gsi: 10, level: 0 }]);
  bench.reset();
  t.equal(bench.readHpet(0x10), 0n);
});
