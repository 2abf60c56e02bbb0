import t from 'tap';
import { SOURCE_PIT } from '../../../../src/core/devices/gsi/sources.js';
import { PRESET_NAMES } from '../../../../src/core/locking/presets.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { EOI, MASTER, PicBench, SLAVE } from '../../../support/pic-bench.js';

const EXT_INT = 7 << 8;
const ENTRY = (pin: number) => 0x10 + 2 * pin;
const TIMER_CONFIGURATION = (timer: number) => 0x100 + 0x20 * timer;
const INT_ENB = 1 << 2;
const INT_TYPE_LEVEL = 1 << 1;
const LEG_RT = 1 << 1;
const ENABLE = 1 << 0;

t.test('a GSI below 16 drives the IOAPIC and the pair', async (t) => {
  const bench = new PicBench();
  bench.writeIoapic(ENTRY(5), 0x45);
  bench.takeEvents();
  bench.setLine(5, 1);
  const kinds = bench.takeEvents().map((event) => event.kind);
  t.same(kinds.sort(), ['apic', 'intr', 'line']);
  t.equal(bench.acknowledgeInterrupt(), 0x25);
});

t.test('GSI 0 is IRQ 0 at the pair and pin 2 at the IOAPIC', async (t) => {
  const bench = new PicBench();
  bench.writeIoapic(ENTRY(2), 0x42);
  bench.takeEvents();
  bench.setLine(0, 1);
  t.match(
    bench.takeEvents().find((event) => event.kind === 'apic'),
    { pin: 2, vector: 0x42 },
  );
  t.equal(bench.acknowledgeInterrupt(), 0x20);
});

t.test('GSIs from 16 on do not reach the pair', async (t) => {
  const bench = new PicBench();
  for (let gsi = 16; gsi < 24; gsi++) bench.setLine(gsi, 1);
  t.equal(bench.intr, 0);
  t.equal(bench.irr(MASTER) | bench.irr(SLAVE), 0);
});

t.test('an HPET timer in legacy mode interrupts through the pair, once per pulse', async (t) => {
  const bench = new PicBench();
  bench.writeHpet(TIMER_CONFIGURATION(0), INT_ENB);
  bench.writeHpet(TIMER_CONFIGURATION(0) + 8, 100);
  bench.writeHpet(TIMER_CONFIGURATION(1), INT_ENB);
  bench.writeHpet(TIMER_CONFIGURATION(1) + 8, 200);
  bench.writeHpet(0x10, ENABLE | LEG_RT);
  bench.advance(1000);
  t.equal(bench.intr, 1, 'the pulse is over, its request is not');
  t.equal(bench.acknowledgeInterrupt(), 0x20);
  bench.out(MASTER, EOI);
  t.equal(bench.intr, 0);
  bench.advance(1000);
  t.equal(bench.acknowledgeInterrupt(), 0x28);
  t.equal(bench.isr(SLAVE), 0x01);
});

t.test('a level timer holds a level input until its status bit is cleared', async (t) => {
  const bench = new PicBench();
  bench.out(0x4d1, 0x08);
  bench.writeHpet(TIMER_CONFIGURATION(2), INT_ENB | INT_TYPE_LEVEL | (11 << 9));
  bench.writeHpet(TIMER_CONFIGURATION(2) + 8, 100);
  bench.writeHpet(0x10, ENABLE);
  bench.advance(1000);
  t.equal(bench.acknowledgeInterrupt(), 0x2b);
  bench.out(SLAVE, EOI);
  bench.out(MASTER, EOI);
  t.equal(bench.intr, 1, 'not served yet');
  t.equal(bench.acknowledgeInterrupt(), 0x2b);
  bench.writeHpet(0x20, 1 << 2);
  bench.out(SLAVE, EOI);
  bench.out(MASTER, EOI);
  t.equal(bench.intr, 0);
});

t.test('the PIT of a machine whose HPET does not replace it drives IRQ 0', async (t) => {
  const bench = new PicBench();
  bench.setLegacyInput(SOURCE_PIT, 1);
  t.equal(bench.acknowledgeInterrupt(), 0x20);
});

t.test('ExtINT: the IOAPIC sends the vector that the pair acknowledges', async (t) => {
  const bench = new PicBench({ quirks: ['extint'] });
  bench.writeIoapic(ENTRY(4), EXT_INT | 0x99);
  bench.takeEvents();
  bench.setLine(4, 1);
  t.match(
    bench.takeEvents().find((event) => event.kind === 'apic'),
    { pin: 4, deliveryMode: 7, vector: 0x24 },
    'the request of the same GSI',
  );
  t.equal(bench.intr, 0);
  t.equal(bench.isr(MASTER), 0x10);
});

t.test('ExtINT: an entry of another pin takes the highest request, from the slave too', async (t) => {
  const bench = new PicBench({ quirks: ['extint'] });
  bench.writeIoapic(ENTRY(20), EXT_INT);
  bench.setLine(12, 1);
  bench.takeEvents();
  bench.setLine(20, 1);
  t.match(
    bench.takeEvents().find((event) => event.kind === 'apic'),
    { pin: 20, vector: 0x2c },
  );
  t.equal(bench.isr(MASTER), 0x04);
  t.equal(bench.isr(SLAVE), 0x10);
});

t.test('ExtINT: without a request at the pair the vector is that of IRQ 7', async (t) => {
  const bench = new PicBench({ quirks: ['extint'] });
  bench.writeIoapic(ENTRY(20), EXT_INT);
  bench.takeEvents();
  bench.setLine(20, 1);
  t.match(
    bench.takeEvents().find((event) => event.kind === 'apic'),
    { vector: 0x27 },
  );
});

t.test('ExtINT: without the quirk the vector is the entry’s, and the pair keeps its request', async (t) => {
  const bench = new PicBench({ quirks: [] });
  bench.writeIoapic(ENTRY(4), EXT_INT | 0x99);
  bench.takeEvents();
  bench.setLine(4, 1);
  t.match(
    bench.takeEvents().find((event) => event.kind === 'apic'),
    { vector: 0x99 },
  );
  t.equal(bench.intr, 1);
});

t.test('a machine without a pair has no such ports, and its vector is 7', async (t) => {
  const bench = new BenchMachine({ pic: false, quirks: ['extint'] });
  for (const port of [0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1]) {
    t.equal(bench.machine.portRead(port), undefined);
    t.equal(bench.machine.portWrite(port, 0), false);
  }
  bench.writeIoapic(ENTRY(4), EXT_INT | 0x99);
  bench.setLine(4, 1);
  t.match(
    bench.takeEvents().find((event) => event.kind === 'apic'),
    { vector: 7 },
  );
});

t.test('other ports belong to no device', async (t) => {
  const bench = new BenchMachine();
  for (const port of [0x1f, 0x22, 0x60, 0x9f, 0xa2, 0x4cf, 0x4d2, 0x120]) {
    t.equal(bench.machine.portRead(port), undefined);
    t.equal(bench.machine.portWrite(port, 0x11), false);
  }
});

for (const locking of PRESET_NAMES) {
  t.test(`${locking}: a line, an ExtINT and an EOI by port leave no lock held`, async (t) => {
    const bench = new PicBench({ locking, quirks: ['extint'] });
    bench.writeIoapic(ENTRY(10), EXT_INT);
    bench.setLine(10, 1);
    bench.out(SLAVE, EOI);
    bench.out(MASTER, EOI);
    bench.setLine(3, 1);
    t.equal(bench.acknowledgeInterrupt(), 0x23);
    t.equal(bench.machine.locks.held, 0);
    t.equal(bench.mainLoopMachine.locks.held, 0);
  });
}
