import t from 'tap';
import { BenchMachine } from '../../../support/bench-machine.js';
import { EOI, MASTER, PicBench, SLAVE } from '../../../support/pic-bench.js';

t.test('a PC initialisation gives IRQ 0–7 the vectors from 0x20 and IRQ 8–15 those from 0x28', async (t) => {
  for (const irq of [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]) {
    const bench = new PicBench();
    bench.takeEvents();
    bench.raise(irq);
    t.match(bench.takeEvents().pop(), { kind: 'intr', level: 1 }, `IRQ ${irq} raises INTR`);
    t.equal(bench.acknowledgeInterrupt(), 0x20 + irq, `vector of IRQ ${irq}`);
    t.match(bench.takeEvents(), [{ kind: 'intr', level: 0 }], 'the acknowledge cycle lowers INTR');
    t.equal(bench.isr(MASTER), irq < 8 ? 1 << irq : 1 << 2);
    t.equal(bench.isr(SLAVE), irq < 8 ? 0 : 1 << (irq - 8));
  }
});

t.test('IRQ 2 is the cascade and no input', async (t) => {
  const bench = new PicBench();
  bench.raise(2);
  t.equal(bench.intr, 0);
  t.equal(bench.irr(MASTER), 0);
});

t.test('before it is initialised a chip accepts no request, and answers with vector 7', async (t) => {
  const bench = new BenchMachine();
  bench.setLine(5, 1);
  t.notOk(bench.takeEvents().some((event) => event.kind === 'intr'));
  t.equal(bench.acknowledgeInterrupt(), 7);
  t.equal(bench.portRead(0x21), 0);
  t.equal(bench.portRead(0xa1), 0);
});

t.test('a mask can be written before the chip is initialised, and ICW1 clears it', async (t) => {
  const bench = new BenchMachine();
  bench.portWrite(0x21, 0xff);
  t.equal(bench.portRead(0x21), 0xff);
  bench.portWrite(0x20, 0x11);
  t.equal(bench.portRead(0x21), 0);
});

t.test('ICW1 forgets edges, what is in service, special mask and the choice of the read register', async (t) => {
  const bench = new PicBench();
  bench.raise(3);
  bench.acknowledgeInterrupt();
  bench.raise(4);
  bench.out(MASTER, 0x6b, 0xc0 | 3);
  bench.initialise();
  t.equal(bench.portRead(MASTER), 0, 'the IRR is read, and IR4 has to rise again');
  t.equal(bench.isr(MASTER), 0);
  t.equal(bench.intr, 0);
  bench.lower(4, 3);
  bench.raise(7, 0, 4);
  t.equal(bench.acknowledgeInterrupt(), 0x20, 'IR0 is the highest again');
  bench.out(MASTER + 1, 0x01);
  t.equal(bench.intr, 0, 'IR4 is inhibited by masked IR0: no special mask');
});

t.test('no request is accepted between ICW1 and the last ICW', async (t) => {
  const bench = new PicBench();
  bench.out(MASTER, 0x11);
  for (const icw of [0x20, 0x04]) {
    bench.lower(5);
    bench.raise(5);
    t.equal(bench.intr, 0);
    bench.out(MASTER + 1, icw);
  }
  t.equal(bench.intr, 0);
  bench.out(MASTER + 1, 0x01);
  t.equal(bench.intr, 1);
});

t.test('without ICW4 the sequence ends after ICW3, and the functions of ICW4 are off', async (t) => {
  const bench = new PicBench({ init: { master: 0x13 } });
  bench.out(MASTER, 0x10);
  bench.out(MASTER + 1, 0x40, 0x04);
  bench.out(MASTER + 1, 0xdf);
  t.equal(bench.portRead(MASTER + 1), 0xdf, 'the third write is OCW1');
  bench.raise(5);
  t.equal(bench.acknowledgeInterrupt(), 0x45);
  t.equal(bench.isr(MASTER), 0x20, 'no automatic EOI');
});

t.test('a single chip takes no ICW3 and gives the vector of IR2 itself', async (t) => {
  const bench = new PicBench();
  bench.out(MASTER, 0x13);
  bench.out(MASTER + 1, 0x50, 0x01);
  bench.out(MASTER + 1, 0xfb);
  t.equal(bench.portRead(MASTER + 1), 0xfb);
  bench.raise(9);
  t.equal(bench.acknowledgeInterrupt(), 0x52);
  t.equal(bench.isr(SLAVE), 0, 'the slave was not asked');
});

t.test('a slave with another identification does not answer', async (t) => {
  const bench = new PicBench();
  bench.out(SLAVE, 0x11);
  bench.out(SLAVE + 1, 0x28, 0x03, 0x01);
  bench.raise(9);
  t.equal(bench.acknowledgeInterrupt(), 0xff);
  t.equal(bench.isr(SLAVE), 0);
});

t.test('ICW1 sets the identification of a slave to 7, where no ICW3 follows', async (t) => {
  const bench = new PicBench();
  bench.out(SLAVE, 0x13);
  bench.out(SLAVE + 1, 0x28, 0x01);
  bench.raise(9);
  t.equal(bench.acknowledgeInterrupt(), 0xff);
});

t.test('the low three bits of ICW2 are the level', async (t) => {
  const bench = new PicBench();
  bench.out(MASTER, 0x11);
  bench.out(MASTER + 1, 0x37, 0x04, 0x01);
  bench.raise(1);
  t.equal(bench.acknowledgeInterrupt(), 0x31);
});

t.test('reset undoes the initialisation, the masks and the ELCR', async (t) => {
  const bench = new PicBench();
  bench.out(MASTER + 1, 0x12);
  bench.out(0x4d0, 0x20);
  bench.raise(6);
  t.equal(bench.intr, 1);
  bench.takeEvents();
  bench.reset();
  t.match(bench.takeEvents(), [{ kind: 'intr', level: 0 }]);
  t.equal(bench.portRead(MASTER + 1), 0);
  t.equal(bench.portRead(0x4d0), 0);
  t.equal(bench.acknowledgeInterrupt(), 7);
  bench.out(MASTER, EOI);
  bench.initialise();
  t.equal(bench.intr, 0, 'IR6 is still high, and has to rise again');
  bench.out(0x4d0, 0x40);
  t.equal(bench.intr, 1);
});
