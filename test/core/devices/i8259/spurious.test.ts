import t from 'tap';
import { MASTER, PicBench, SLAVE } from '../../../support/pic-bench.js';

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

t.test('the in-service bit distinguishes a real IRQ 7 from a spurious one', async (t) => {
  const bench = new PicBench();
  bench.raise(7);
  t.equal(bench.acknowledgeInterrupt(), 0x27);
  t.equal(bench.isr(MASTER), 0x80);
});

/** Ways in which the slave's only request, of IRQ 11, ends before its acknowledge cycle. */
const WITHDRAWALS: { readonly [what: string]: (bench: PicBench) => void } = {
  'its line': (bench) => bench.lower(11),
  'a mask': (bench) => bench.out(SLAVE + 1, 0x08),
  'the ELCR': (bench) => {
    bench.out(0x4d1, 0x08);
    bench.lower(11);
  },
  'a new initialisation of the slave': (bench) => bench.out(SLAVE, 0x11),
};

for (const [what, withdraw] of Object.entries(WITHDRAWALS)) {
  t.test(`a slave request that is withdrawn by ${what} is withdrawn from the master`, async (t) => {
    const bench = new PicBench();
    bench.raise(11);
    t.equal(bench.intr, 1);
    withdraw(bench);
    t.equal(bench.intr, 0);
    t.equal(bench.irr(MASTER), 0);
    t.equal(bench.acknowledgeInterrupt(), 0x27);
    t.equal(bench.isr(MASTER), 0);
  });
}

for (const line of [5, 11]) {
  t.test(`the request of a level-triggered timer on line ${line} is withdrawn by its acknowledgement`, async (t) => {
    const bench = new PicBench();
    bench.writeHpet(0x100, (line << 9) | 0x06);
    bench.writeHpet(0x108, 100);
    bench.writeHpet(0x10, 1);
    bench.advance(1_000);
    t.equal(bench.intr, 1);
    bench.writeHpet(0x20, 1);
    t.equal(bench.intr, 0);
    t.equal(bench.irr(line < 8 ? MASTER : SLAVE), 0);
    t.equal(bench.acknowledgeInterrupt(), 0x27);
  });

  t.test(`the pulse of an edge-triggered timer on line ${line} stays latched in every profile`, async (t) => {
    for (const profile of ['standard', 'datasheet', 'qemu-11.1'] as const) {
      const bench = new PicBench({ profile });
      bench.writeHpet(0x100, (line << 9) | 0x04);
      bench.writeHpet(0x108, 100);
      bench.writeHpet(0x10, 1);
      bench.advance(1_000);
      t.equal(bench.intr, 1, profile);
      t.equal(bench.acknowledgeInterrupt(), 0x20 + line, profile);
    }
  });
}

t.test('a real IRQ 15 is in service at both chips', async (t) => {
  const bench = new PicBench();
  bench.raise(15);
  t.equal(bench.acknowledgeInterrupt(), 0x2f);
  t.equal(bench.isr(MASTER), 0x04);
  t.equal(bench.isr(SLAVE), 0x80);
});

t.test('a spurious IRQ 7 leaves what is in service', async (t) => {
  const bench = new PicBench();
  bench.raise(3);
  bench.acknowledgeInterrupt();
  t.equal(bench.acknowledgeInterrupt(), 0x27);
  t.equal(bench.isr(MASTER), 0x08);
});
