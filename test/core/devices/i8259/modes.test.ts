import t from 'tap';
import { EOI, MASTER, PicBench, SLAVE, SPECIFIC_EOI } from '../../../support/pic-bench.js';

const SET_SPECIAL_MASK = 0x68;
const CLEAR_SPECIAL_MASK = 0x48;
const POLL = 0x0c;
const SPECIAL_FULLY_NESTED = 0x11;

t.test('fully nested: a slave in service is locked out of the master, even for its higher requests', async (t) => {
  const bench = new PicBench();
  bench.raise(12);
  bench.acknowledgeInterrupt();
  bench.raise(9);
  t.equal(bench.intr, 0);
  bench.out(SLAVE, EOI);
  t.equal(bench.intr, 0);
  bench.out(MASTER, EOI);
  t.equal(bench.acknowledgeInterrupt(), 0x29);
});

t.test('special fully nested: a higher request of a slave in service is recognised', async (t) => {
  const bench = new PicBench({ init: { master: SPECIAL_FULLY_NESTED } });
  bench.raise(12);
  bench.acknowledgeInterrupt();
  bench.raise(14);
  t.equal(bench.intr, 0, 'the slave itself holds back its lower request');
  bench.raise(3);
  t.equal(bench.intr, 0, 'IR3 is below the slave');
  bench.raise(9);
  t.equal(bench.intr, 1);
  t.equal(bench.acknowledgeInterrupt(), 0x29);
  t.equal(bench.isr(SLAVE), 0x12);
  bench.out(SLAVE, EOI);
  t.equal(bench.isr(SLAVE), 0x10, 'not empty: no EOI to the master yet');
  bench.out(SLAVE, EOI);
  t.equal(bench.acknowledgeInterrupt(), 0x2e);
});

t.test('special fully nested: a level without a slave still inhibits itself', async (t) => {
  const bench = new PicBench({ init: { master: SPECIAL_FULLY_NESTED } });
  bench.raise(4);
  bench.acknowledgeInterrupt();
  bench.lower(4);
  bench.raise(4);
  t.equal(bench.intr, 0);
});

t.test('special fully nested: it has no effect on a slave', async (t) => {
  const bench = new PicBench({ init: { master: SPECIAL_FULLY_NESTED, slave: SPECIAL_FULLY_NESTED } });
  bench.raise(9);
  bench.acknowledgeInterrupt();
  bench.lower(9);
  bench.raise(9);
  t.equal(bench.intr, 0);
});

t.test('special mask: a masked level in service inhibits no other', async (t) => {
  const bench = new PicBench();
  bench.raise(3);
  bench.acknowledgeInterrupt();
  bench.out(MASTER + 1, 0x08);
  bench.raise(6);
  t.equal(bench.intr, 0, 'masked, but without special mask mode');
  bench.out(MASTER, SET_SPECIAL_MASK);
  t.equal(bench.intr, 1);
  bench.out(MASTER, CLEAR_SPECIAL_MASK);
  t.equal(bench.intr, 0);
  bench.out(MASTER, SET_SPECIAL_MASK);
  t.equal(bench.acknowledgeInterrupt(), 0x26);
  t.equal(bench.isr(MASTER), 0x48);
});

t.test('special mask: a non-specific EOI spares a masked level, a specific one does not', async (t) => {
  const bench = new PicBench();
  bench.raise(3);
  bench.acknowledgeInterrupt();
  bench.out(MASTER + 1, 0x08);
  bench.out(MASTER, SET_SPECIAL_MASK);
  bench.raise(6);
  bench.acknowledgeInterrupt();
  bench.out(MASTER, EOI);
  t.equal(bench.isr(MASTER), 0x08);
  bench.out(MASTER, EOI);
  t.equal(bench.isr(MASTER), 0x08);
  bench.out(MASTER, SPECIFIC_EOI | 3);
  t.equal(bench.isr(MASTER), 0);
});

t.test('an OCW3 without ESMM leaves the special mask mode, without RR the read register', async (t) => {
  const bench = new PicBench();
  bench.raise(3);
  bench.acknowledgeInterrupt();
  bench.raise(6);
  bench.out(MASTER + 1, 0x08);
  bench.out(MASTER, SET_SPECIAL_MASK, 0x0b);
  t.equal(bench.intr, 1);
  t.equal(bench.portRead(MASTER), 0x08, 'ISR');
  bench.out(MASTER, 0x28, 0x08);
  t.equal(bench.intr, 1);
  t.equal(bench.portRead(MASTER), 0x08);
  t.equal(bench.portRead(MASTER), 0x08, 'the choice stays');
  bench.out(MASTER, 0x0a);
  t.equal(bench.portRead(MASTER), 0x40, 'IRR');
});

t.test('poll: the next read is the acknowledge cycle and gives the level', async (t) => {
  const bench = new PicBench();
  bench.raise(6, 4);
  bench.out(MASTER, POLL);
  t.equal(bench.portRead(MASTER), 0x84);
  t.equal(bench.isr(MASTER), 0x10);
  t.equal(bench.irr(MASTER), 0x40);
  t.equal(bench.intr, 0);
  bench.out(MASTER, EOI);
  t.equal(bench.intr, 1);
});

t.test('poll: without a request bit 7 is clear and nothing is in service', async (t) => {
  const bench = new PicBench();
  bench.out(MASTER, POLL);
  t.equal(bench.portRead(MASTER) & 0x80, 0);
  t.equal(bench.isr(MASTER), 0);
});

t.test('poll: the read may be at either port, and is one', async (t) => {
  const bench = new PicBench();
  bench.out(MASTER + 1, 0x80);
  bench.raise(1);
  bench.out(MASTER, POLL);
  t.equal(bench.portRead(MASTER + 1), 0x81);
  t.equal(bench.portRead(MASTER + 1), 0x80, 'the IMR again');
});

t.test('poll: a slave is polled after its master', async (t) => {
  const bench = new PicBench();
  bench.raise(13, 11);
  bench.out(MASTER, POLL);
  t.equal(bench.portRead(MASTER), 0x82);
  bench.out(SLAVE, POLL);
  t.equal(bench.portRead(SLAVE), 0x83);
  bench.out(SLAVE, EOI);
  bench.out(MASTER, EOI);
  t.equal(bench.acknowledgeInterrupt(), 0x2d);
});

t.test('poll: a slave polled by itself takes its request back from the master', async (t) => {
  const bench = new PicBench();
  bench.raise(11);
  bench.out(SLAVE, POLL);
  t.equal(bench.portRead(SLAVE), 0x83);
  t.equal(bench.intr, 0);
  t.equal(bench.irr(MASTER), 0);
});

t.test('poll: a slave with automatic EOI asks the master again for its next request', async (t) => {
  const bench = new PicBench({ init: { slave: 0x03 } });
  bench.raise(11, 13);
  bench.out(MASTER, POLL);
  t.equal(bench.portRead(MASTER), 0x82);
  bench.out(SLAVE, POLL);
  t.equal(bench.portRead(SLAVE), 0x83);
  bench.out(MASTER, EOI);
  t.equal(bench.acknowledgeInterrupt(), 0x2d);
});

t.test('poll: with automatic EOI the level is ended at once', async (t) => {
  const bench = new PicBench({ init: { master: 0x03 } });
  bench.raise(5);
  bench.out(MASTER, POLL);
  t.equal(bench.portRead(MASTER), 0x85);
  t.equal(bench.isr(MASTER), 0);
});
