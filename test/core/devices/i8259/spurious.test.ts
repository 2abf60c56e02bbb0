import t from 'tap';
import { EOI, MASTER, PicBench, SLAVE } from '../../../support/pic-bench.js';

t.test('an acknowledge cycle without a request gives IRQ 7, with nothing in service', async (t) => {
  const bench = new PicBench();
  t.equal(bench.acknowledgeInterrupt(), 0x27);
  t.equal(bench.isr(MASTER), 0);
  t.equal(bench.isr(SLAVE), 0);
});

t.test('a request that is lowered before it is acknowledged is withdrawn: INTR falls, IRQ 7 is spurious', async (t) => {
  const bench = new PicBench();
  bench.raise(4);
  bench.takeEvents();
  bench.lower(4);
  t.match(bench.takeEvents().pop(), { kind: 'intr', level: 0 });
  t.equal(bench.irr(MASTER), 0);
  t.equal(bench.acknowledgeInterrupt(), 0x27);
  t.equal(bench.isr(MASTER), 0);
});

t.test('another request is acknowledged in place of one that was withdrawn', async (t) => {
  const bench = new PicBench();
  bench.raise(4, 6);
  bench.lower(4);
  t.equal(bench.acknowledgeInterrupt(), 0x26);
});

t.test('a level request that is lowered in time is withdrawn', async (t) => {
  const bench = new PicBench();
  bench.out(0x4d0, 0x20);
  bench.raise(5);
  bench.lower(5);
  t.equal(bench.intr, 0);
  t.equal(bench.acknowledgeInterrupt(), 0x27);
});

t.test('a real IRQ 7 is told from a spurious one by its in-service bit', async (t) => {
  const bench = new PicBench();
  bench.raise(7);
  t.equal(bench.acknowledgeInterrupt(), 0x27);
  t.equal(bench.isr(MASTER), 0x80);
});

t.test('a slave request that is lowered in time gives IRQ 15, in service at the master only', async (t) => {
  const bench = new PicBench();
  bench.raise(11);
  bench.lower(11);
  t.equal(bench.intr, 1);
  t.equal(bench.irr(SLAVE), 0);
  t.equal(bench.acknowledgeInterrupt(), 0x2f);
  t.equal(bench.isr(MASTER), 0x04);
  t.equal(bench.isr(SLAVE), 0);
  bench.raise(3);
  t.equal(bench.intr, 0);
  bench.out(MASTER, EOI);
  t.equal(bench.acknowledgeInterrupt(), 0x23);
});

t.test('a real IRQ 15 is in service at both chips', async (t) => {
  const bench = new PicBench();
  bench.raise(15);
  t.equal(bench.acknowledgeInterrupt(), 0x2f);
  t.equal(bench.isr(MASTER), 0x04);
  t.equal(bench.isr(SLAVE), 0x80);
});

t.test('a slave request that is masked in time is taken back from the master', async (t) => {
  const bench = new PicBench();
  bench.raise(11);
  bench.out(SLAVE + 1, 0x08);
  t.equal(bench.intr, 0);
  t.equal(bench.acknowledgeInterrupt(), 0x27);
});

t.test('a spurious IRQ 7 leaves what is in service', async (t) => {
  const bench = new PicBench();
  bench.raise(3);
  bench.acknowledgeInterrupt();
  t.equal(bench.acknowledgeInterrupt(), 0x27);
  t.equal(bench.isr(MASTER), 0x08);
});
