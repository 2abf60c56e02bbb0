import t from 'tap';
import { EOI, MASTER, PicBench, SLAVE } from '../../../support/pic-bench.js';

const ELCR_MASTER = 0x4d0;
const ELCR_SLAVE = 0x4d1;

t.test('edge: an input that stays high requests once', async (t) => {
  const bench = new PicBench();
  bench.raise(5);
  bench.acknowledgeInterrupt();
  t.equal(bench.irr(MASTER), 0);
  bench.out(MASTER, EOI);
  t.equal(bench.intr, 0);
  bench.lower(5);
  bench.raise(5);
  t.equal(bench.intr, 1);
});

t.test('level by ELCR: an input requests until it is lowered', async (t) => {
  const bench = new PicBench();
  bench.out(ELCR_MASTER, 0x20);
  bench.raise(5);
  for (let i = 0; i < 3; i++) {
    t.equal(bench.acknowledgeInterrupt(), 0x25);
    t.equal(bench.irr(MASTER), 0x20, 'still requested');
    bench.out(MASTER, EOI);
    t.equal(bench.intr, 1);
  }
  bench.lower(5);
  t.equal(bench.intr, 0);
  t.equal(bench.irr(MASTER), 0);
});

t.test('level by ELCR on the slave: its input requests until it is lowered', async (t) => {
  const bench = new PicBench();
  bench.out(ELCR_SLAVE, 0x0c);
  bench.raise(10);
  for (let i = 0; i < 3; i++) {
    t.equal(bench.acknowledgeInterrupt(), 0x2a);
    bench.out(SLAVE, EOI);
    bench.out(MASTER, EOI);
    t.equal(bench.intr, 1);
  }
  t.equal(bench.acknowledgeInterrupt(), 0x2a);
  bench.lower(10);
  bench.out(SLAVE, EOI);
  bench.out(MASTER, EOI);
  t.equal(bench.intr, 0);
});

t.test('ELCR bits of IRQ 0, 1, 2, 8 and 13 are fixed to edge', async (t) => {
  const bench = new PicBench();
  bench.out(ELCR_MASTER, 0xff);
  bench.out(ELCR_SLAVE, 0xff);
  t.equal(bench.portRead(ELCR_MASTER), 0xf8);
  t.equal(bench.portRead(ELCR_SLAVE), 0xde);
  for (const irq of [0, 1, 8, 13]) {
    bench.raise(irq);
    t.equal(bench.acknowledgeInterrupt(), 0x20 + irq);
    if (irq >= 8) bench.out(SLAVE, EOI);
    bench.out(MASTER, EOI);
    t.equal(bench.intr, 0, `IRQ ${irq} does not repeat`);
  }
});

t.test(
  'an input that is high requests when the ELCR makes it level triggered, and stops when it no longer is',
  async (t) => {
    const bench = new PicBench();
    bench.raise(9);
    bench.acknowledgeInterrupt();
    bench.out(SLAVE, EOI);
    bench.out(MASTER, EOI);
    bench.out(ELCR_SLAVE, 0x02);
    t.equal(bench.intr, 1);
    bench.out(ELCR_SLAVE, 0x00);
    t.equal(bench.intr, 0);
    bench.lower(9);
    bench.raise(9);
    t.equal(bench.intr, 1);
  },
);

t.test('an edge is forgotten when the ELCR makes its input level triggered', async (t) => {
  const bench = new PicBench();
  bench.raise(5);
  bench.out(ELCR_MASTER, 0x20);
  t.equal(bench.intr, 1, 'for its level');
  bench.out(ELCR_MASTER, 0x00);
  t.equal(bench.intr, 0);
});

t.test('ICW1 does not change the ELCR', async (t) => {
  const bench = new PicBench();
  bench.out(ELCR_MASTER, 0x08);
  bench.raise(3);
  bench.initialise();
  t.equal(bench.intr, 1, 'a level input requests as soon as the chip is ready');
  t.equal(bench.portRead(ELCR_MASTER), 0x08);
});

t.test('level by LTIM: every input of the chip, whatever the ELCR says', async (t) => {
  const bench = new PicBench({ init: { icw1: 0x19 } });
  bench.raise(1, 8);
  for (const vector of [0x21, 0x21]) {
    t.equal(bench.acknowledgeInterrupt(), vector);
    bench.out(MASTER, EOI);
  }
  bench.lower(1);
  for (const vector of [0x28, 0x28]) {
    t.equal(bench.acknowledgeInterrupt(), vector);
    bench.out(SLAVE, EOI);
    bench.out(MASTER, EOI);
  }
  bench.lower(8);
  t.equal(bench.intr, 0);
});

t.test('an edge that was sensed under a mask is not forgotten while the input is high', async (t) => {
  const bench = new PicBench();
  bench.out(MASTER + 1, 0xff);
  bench.raise(7);
  bench.out(MASTER + 1, 0x7f);
  t.equal(bench.acknowledgeInterrupt(), 0x27);
  t.equal(bench.isr(MASTER), 0x80);
});
