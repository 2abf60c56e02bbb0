import t from 'tap';
import { EOI, MASTER, PicBench, SLAVE, SPECIFIC_EOI } from '../../../support/pic-bench.js';

t.test('slave EOI first: the next request of the slave waits for the EOI to the master', async (t) => {
  const bench = new PicBench();
  bench.raise(9, 10);
  t.equal(bench.acknowledgeInterrupt(), 0x29);
  bench.out(SLAVE, EOI);
  t.equal(bench.intr, 0);
  t.equal(bench.irr(MASTER), 0x04);
  bench.out(MASTER, EOI);
  t.equal(bench.acknowledgeInterrupt(), 0x2a);
});

t.test('master EOI first: the next request of the slave waits for the EOI to the slave', async (t) => {
  const bench = new PicBench();
  bench.raise(9, 10);
  t.equal(bench.acknowledgeInterrupt(), 0x29);
  bench.out(MASTER, EOI);
  t.equal(bench.intr, 0, 'the slave holds IR2 back');
  bench.raise(3);
  t.equal(bench.acknowledgeInterrupt(), 0x23, 'the master is free for others');
  bench.out(MASTER, EOI);
  bench.out(SLAVE, EOI);
  t.equal(bench.acknowledgeInterrupt(), 0x2a);
});

t.test('an EOI to the slave alone leaves the master locked below IR2', async (t) => {
  const bench = new PicBench();
  bench.raise(9);
  bench.acknowledgeInterrupt();
  bench.out(SLAVE, EOI);
  bench.raise(3);
  t.equal(bench.intr, 0);
  bench.raise(1);
  t.equal(bench.acknowledgeInterrupt(), 0x21);
  bench.out(MASTER, EOI);
  bench.out(MASTER, SPECIFIC_EOI | 2);
  t.equal(bench.acknowledgeInterrupt(), 0x23);
});

t.test('IR2 masked at the master silences the slave, and its request survives', async (t) => {
  const bench = new PicBench();
  bench.out(MASTER + 1, 0x04);
  bench.raise(14);
  t.equal(bench.intr, 0);
  bench.out(MASTER + 1, 0x00);
  t.equal(bench.acknowledgeInterrupt(), 0x2e);
});

t.test('a request that arrives while another of the slave waits for its cycle is chosen by priority', async (t) => {
  const bench = new PicBench();
  bench.raise(14);
  bench.raise(8);
  t.equal(bench.acknowledgeInterrupt(), 0x28);
  t.equal(bench.isr(SLAVE), 0x01);
  t.equal(bench.irr(SLAVE), 0x40);
});

t.test('special mask on the slave: its next request is a new edge for the master', async (t) => {
  const bench = new PicBench();
  bench.out(SLAVE + 1, 0x00);
  bench.raise(9);
  bench.acknowledgeInterrupt();
  bench.out(SLAVE + 1, 0x02);
  bench.out(SLAVE, 0x68);
  bench.out(MASTER, EOI);
  bench.raise(12, 13);
  t.equal(bench.acknowledgeInterrupt(), 0x2c);
  bench.out(SLAVE + 1, 0x12);
  bench.out(MASTER, EOI);
  t.equal(bench.acknowledgeInterrupt(), 0x2d);
});
