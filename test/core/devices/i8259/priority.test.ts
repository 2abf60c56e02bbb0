import t from 'tap';
import { EOI, MASTER, PicBench, SLAVE, SPECIFIC_EOI } from '../../../support/pic-bench.js';

const ROTATE_EOI = 0xa0;
const ROTATE_SPECIFIC_EOI = 0xe0;
const SET_PRIORITY = 0xc0;
const ROTATE_ON_AEOI = 0x80;
const NO_ROTATE_ON_AEOI = 0x00;
const NO_OPERATION = 0x40;
const LEVELS = [0, 1, 3, 4, 5, 6, 7];

t.test('fully nested: requests are served from IR0 down, IRQ 8–15 in the place of IR2', async (t) => {
  const bench = new PicBench();
  bench.raise(15, 7, 3, 8, 1, 12, 0);
  const served = bench.serve((vector) => {
    if (vector >= 0x28) bench.out(SLAVE, EOI);
    bench.out(MASTER, EOI);
  });
  t.same(served, [0x20, 0x21, 0x28, 0x2c, 0x2f, 0x23, 0x27]);
});

t.test('fully nested: a level in service inhibits itself and all below, and none above', async (t) => {
  const bench = new PicBench();
  bench.raise(4);
  bench.acknowledgeInterrupt();
  bench.raise(5);
  t.equal(bench.intr, 0, 'IR5 waits for IR4');
  bench.lower(4);
  bench.raise(4);
  t.equal(bench.intr, 0, 'IR4 waits for itself');
  bench.raise(1);
  t.equal(bench.intr, 1, 'IR1 interrupts IR4');
  t.equal(bench.acknowledgeInterrupt(), 0x21);
  t.equal(bench.isr(MASTER), 0x12);
  t.equal(bench.irr(MASTER), 0x30);
});

t.test('IMR: a masked request waits, and interrupts when it is unmasked', async (t) => {
  const bench = new PicBench();
  bench.out(MASTER + 1, 0x08);
  bench.raise(3);
  t.equal(bench.intr, 0);
  t.equal(bench.irr(MASTER), 0x08, 'the mask does not hide it from the IRR');
  bench.out(MASTER + 1, 0);
  t.equal(bench.intr, 1);
  bench.out(MASTER + 1, 0x08);
  t.equal(bench.intr, 0);
  t.equal(bench.portRead(MASTER + 1), 0x08);
});

t.test('a non-specific EOI ends the highest level in service', async (t) => {
  const bench = new PicBench();
  bench.raise(6);
  bench.acknowledgeInterrupt();
  bench.raise(3);
  bench.acknowledgeInterrupt();
  t.equal(bench.isr(MASTER), 0x48);
  bench.out(MASTER, EOI);
  t.equal(bench.isr(MASTER), 0x40);
  bench.out(MASTER, EOI);
  t.equal(bench.isr(MASTER), 0);
  bench.out(MASTER, EOI);
  t.equal(bench.isr(MASTER), 0);
});

t.test('a specific EOI ends the level that it names', async (t) => {
  const bench = new PicBench();
  bench.raise(6);
  bench.acknowledgeInterrupt();
  bench.raise(3);
  bench.acknowledgeInterrupt();
  bench.out(MASTER, SPECIFIC_EOI | 6);
  t.equal(bench.isr(MASTER), 0x08);
  bench.out(MASTER, NO_OPERATION | 3);
  t.equal(bench.isr(MASTER), 0x08, 'command 010 does nothing');
});

t.test('set priority makes the named level the lowest', async (t) => {
  const bench = new PicBench();
  bench.out(MASTER, SET_PRIORITY | 4);
  bench.raise(...LEVELS);
  t.same(
    bench.serve(() => bench.out(MASTER, EOI)),
    [0x25, 0x26, 0x27, 0x20, 0x21, 0x23, 0x24],
  );
});

t.test('set priority moves what inhibits a request already there', async (t) => {
  const bench = new PicBench();
  bench.raise(3);
  bench.acknowledgeInterrupt();
  bench.raise(5);
  t.equal(bench.intr, 0);
  bench.out(MASTER, SET_PRIORITY | 4);
  t.equal(bench.intr, 1);
});

t.test('rotate on a non-specific EOI puts the level just served last', async (t) => {
  const bench = new PicBench();
  bench.raise(4, 6);
  t.equal(bench.acknowledgeInterrupt(), 0x24);
  bench.out(MASTER, ROTATE_EOI);
  bench.lower(4);
  bench.raise(4, 0);
  // Priorities now: 5, 6, 7, 0, 1, 2, 3, 4.
  t.same(
    bench.serve(() => bench.out(MASTER, ROTATE_EOI)),
    [0x26, 0x20, 0x24],
  );
  bench.lower(...LEVELS);
  bench.raise(...LEVELS);
  t.equal(bench.acknowledgeInterrupt(), 0x25);
});

t.test('rotate on an EOI with nothing in service leaves the priorities', async (t) => {
  const bench = new PicBench();
  bench.out(MASTER, ROTATE_EOI);
  bench.raise(0, 7);
  t.equal(bench.acknowledgeInterrupt(), 0x20);
});

t.test('rotate on a specific EOI ends the named level and puts it last', async (t) => {
  const bench = new PicBench();
  bench.raise(5);
  bench.acknowledgeInterrupt();
  bench.raise(1);
  bench.acknowledgeInterrupt();
  bench.out(MASTER, ROTATE_SPECIFIC_EOI | 5);
  t.equal(bench.isr(MASTER), 0x02);
  // Priorities now: 6, 7, 0, 1 (in service), …
  bench.raise(3);
  t.equal(bench.intr, 0);
  bench.raise(7);
  t.equal(bench.acknowledgeInterrupt(), 0x27);
});

t.test('automatic EOI leaves nothing in service', async (t) => {
  const bench = new PicBench({ init: { master: 0x03 } });
  bench.raise(6);
  t.equal(bench.acknowledgeInterrupt(), 0x26);
  t.equal(bench.isr(MASTER), 0);
  bench.raise(7);
  t.equal(bench.intr, 1);
});

t.test('automatic EOI of both chips: the slave asks again at once', async (t) => {
  const bench = new PicBench({ init: { master: 0x03, slave: 0x03 } });
  bench.raise(10, 9, 14);
  t.same(
    bench.serve(() => {}),
    [0x29, 0x2a, 0x2e],
  );
});

t.test('rotate on automatic EOI serves equal devices in turn, until it is switched off', async (t) => {
  const bench = new PicBench({ init: { master: 0x03 } });
  const again = () => {
    bench.lower(4, 5);
    bench.raise(4, 5);
    return bench.acknowledgeInterrupt();
  };
  t.same([again(), again()], [0x24, 0x24], 'without rotation the higher wins');
  bench.out(MASTER, ROTATE_ON_AEOI);
  t.same([again(), again(), again(), again()], [0x24, 0x25, 0x24, 0x25]);
  bench.out(MASTER, NO_ROTATE_ON_AEOI);
  t.same([again(), again()], [0x24, 0x24], 'the priorities stay as they were left: IR5 last');
});
