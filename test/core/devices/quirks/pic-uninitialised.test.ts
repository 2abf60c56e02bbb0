import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import { MASTER, PicBench } from '../../../support/pic-bench.js';
import { writeEntry } from '../../../support/redirection-entry.js';

const EXT_INT = 7 << 8;

for (const [quirks, state, intr, vector] of [
  [['pic-uninitialised'], 'on', 1, 5],
  [[], 'off', 0, 7],
] as const) {
  t.test(`pic-uninitialised ${state}: IRQ 5 of a pair that was never initialised gives ${vector}`, async (t) => {
    const bench = new BenchMachine({ quirks });
    bench.setLine(5, 1);
    t.equal(bench.machine.chipset.pic.pair.intr, intr);
    t.equal(bench.acknowledgeInterrupt(), vector);
  });

  t.test(`pic-uninitialised ${state}: between ICW1 and ICW4 INTR is ${intr}`, async (t) => {
    const bench = new PicBench({ quirks });
    bench.out(MASTER, 0x11);
    bench.raise(3);
    t.equal(bench.intr, intr);
  });
}

for (const [line, answer] of [
  [5, 5],
  [8, 0],
] as const) {
  t.test(`pic-uninitialised on: an ExtINT entry on line ${line} fetches the vector ${answer}`, async (t) => {
    const bench = new BenchMachine({ profile: 'qemu-11.1' });
    writeEntry(bench, line, EXT_INT | 0x55);
    // Timer 1: legacy replacement gives it line 8.
    bench.writeHpet(0x120, (line << 9) | 0x04);
    bench.writeHpet(0x128, 100);
    bench.writeHpet(0x10, line === 8 ? 3 : 1);
    bench.advance(1_000);
    const [message] = bench.takeEvents().filter((event) => event.kind === 'apic');
    t.match(message, { pin: line, deliveryMode: 7, vector: answer });
  });
}

t.test('on: before any initialisation IR0 has the highest priority', async (t) => {
  const bench = new BenchMachine({ profile: 'qemu-11.1' });
  bench.setLine(3, 1);
  t.equal(bench.acknowledgeInterrupt(), 3);
  bench.setLine(0, 1);
  t.equal(bench.acknowledgeInterrupt(), 0, 'IR0 interrupts IR3');
});
