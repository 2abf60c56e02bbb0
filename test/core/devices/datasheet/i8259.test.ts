import t from 'tap';
import { EOI, MASTER, PicBench, SLAVE } from '../../../support/pic-bench.js';
import { type Access, assertBits } from './bits.js';

/** 8259A (231468-003); PIIX4 (290562-001) 4.2.2 for the edge/level control registers. */
const port = (number: number) => (): Access => {
  const bench = new PicBench({ profile: 'datasheet' });
  return { read: () => BigInt(bench.portRead(number)), write: (value) => bench.out(number, Number(value)) };
};

for (const [chip, name] of [
  [MASTER, 'master'],
  [SLAVE, 'slave'],
] as const) {
  assertBits(
    { section: 'Operation Control Words', name: `OCW1, ${name}`, bits: 8, fields: [[7, 0, 'interrupt mask', 'rw']] },
    port(chip + 1),
  );
}
assertBits(
  {
    section: 'PIIX4 4.2.2',
    name: 'ELCR1',
    bits: 8,
    fields: [
      [7, 3, 'IRQ 7–3', 'rw'],
      [2, 0, 'IRQ 2–0, edge only', 0],
    ],
  },
  port(0x4d0),
);
assertBits(
  {
    section: 'PIIX4 4.2.2',
    name: 'ELCR2',
    bits: 8,
    fields: [
      [7, 6, 'IRQ 15–14', 'rw'],
      [5, 5, 'IRQ 13, edge only', 0],
      [4, 1, 'IRQ 12–9', 'rw'],
      [0, 0, 'IRQ 8, edge only', 0],
    ],
  },
  port(0x4d1),
);

const INPUTS = [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

t.test('Interrupt request, in-service and mask registers, for each input', async (t) => {
  for (const irq of INPUTS) {
    const chip = irq < 8 ? MASTER : SLAVE;
    const bit = 1 << (irq & 7);
    const bench = new PicBench({ profile: 'datasheet' });
    bench.out(chip + 1, bit);
    bench.raise(irq);
    const masked = bench.intr;
    bench.out(chip + 1, 0);
    const before = [bench.irr(chip), bench.isr(chip)];
    const vector = bench.acknowledgeInterrupt();
    const after = [bench.irr(chip), bench.isr(chip)];
    bench.out(chip, EOI);
    t.equal(masked, 0, `OCW1 bit ${irq & 7} of IRQ ${irq}: masked`);
    t.same(before, [bit, 0], `IRR bit ${irq & 7} of IRQ ${irq}`);
    t.same([vector, after], [0x20 + irq, [0, bit]], `ISR bit ${irq & 7} of IRQ ${irq}`);
    t.equal(bench.isr(chip), 0, `EOI of IRQ ${irq}`);
  }
});

t.test('ICW2: each bit of the vector base, and the level in bits 2:0', async (t) => {
  for (let bit = 0; bit < 8; bit++) {
    const bench = new PicBench({ profile: 'datasheet' });
    bench.out(MASTER, 0x11);
    bench.out(MASTER + 1, 1 << bit, 0x04, 0x01);
    bench.raise(5);
    t.equal(bench.acknowledgeInterrupt(), (bit < 3 ? 0 : 1 << bit) | 5, `ICW2 bit ${bit}`);
  }
});

t.test('ICW3 of the slave: each identification', async (t) => {
  for (let id = 0; id < 8; id++) {
    const bench = new PicBench({ profile: 'datasheet' });
    bench.out(SLAVE, 0x11);
    bench.out(SLAVE + 1, 0x28, id, 0x01);
    bench.raise(9);
    t.equal(bench.acknowledgeInterrupt(), id === 2 ? 0x29 : 0xff, `ICW3, identification ${id}`);
  }
});

t.test('OCW2: a specific EOI of each level', async (t) => {
  for (const level of [0, 1, 3, 4, 5, 6, 7]) {
    const bench = new PicBench({ profile: 'datasheet' });
    bench.raise(level);
    bench.acknowledgeInterrupt();
    bench.out(MASTER, 0x60 | ((level + 1) & 7));
    const other = bench.isr(MASTER);
    bench.out(MASTER, 0x60 | level);
    t.same([other, bench.isr(MASTER)], [1 << level, 0], `OCW2 bits 2:0, level ${level}`);
  }
});

t.test('OCW2: set priority puts each level last', async (t) => {
  for (let lowest = 0; lowest < 8; lowest++) {
    const bench = new PicBench({ profile: 'datasheet' });
    bench.out(MASTER, 0xc0 | lowest);
    bench.raise(0, 1, 3, 4, 5, 6, 7);
    const first = (lowest + 1) & 7;
    t.equal(bench.acknowledgeInterrupt(), 0x20 + (first === 2 ? 3 : first), `OCW2 set priority, level ${lowest}`);
  }
});
