import t from 'tap';
import { EOI, MASTER, PicBench, SLAVE, SPECIFIC_EOI } from '../../../support/pic-bench.js';

/** 8259A (231468-003): the bits of its command words that choose a mode. */
const CHIPS = [
  { name: 'master', chip: MASTER, first: 0 },
  { name: 'slave', chip: SLAVE, first: 8 },
] as const;
/** Levels of a chip that are inputs of a guest. */
const LEVELS = { master: [0, 1, 3, 4, 5, 6, 7], slave: [0, 1, 2, 3, 4, 5, 6, 7] } as const;
const SET_SPECIAL_MASK = 0x68;

/** A pair whose `chip` has one ICW1 or ICW4 of its own. */
function pair(chip: number, { icw1 = 0x11, icw4 = 0x01 }): PicBench {
  const init = chip === MASTER ? { icw1, master: icw4 } : { icw1, slave: icw4 };
  return new PicBench({ profile: 'datasheet', init });
}

/** Ends the acknowledge cycle of an input of the slave at the master, so that only the slave's own state is left. */
function endAtMaster(bench: PicBench, chip: number): void {
  if (chip === SLAVE) bench.out(MASTER, SPECIFIC_EOI | 2);
}

for (const { name, chip, first } of CHIPS) {
  t.test(`ICW1 LTIM of the ${name}: each input by its edge, or by its level`, async (t) => {
    for (const level of LEVELS[name]) {
      for (const ltim of [0, 1]) {
        const bench = pair(chip, { icw1: 0x11 | (ltim << 3) });
        bench.raise(first + level);
        bench.acknowledgeInterrupt();
        bench.out(chip, SPECIFIC_EOI | level);
        endAtMaster(bench, chip);
        t.equal(bench.intr, ltim, `ICW1 bit 3, LTIM ${ltim}, IR${level}: ${ltim ? 'level' : 'edge'} triggered`);
      }
    }
  });

  t.test(`ICW4 AEOI of the ${name}: the cycle ends the level, or an EOI does`, async (t) => {
    for (const level of LEVELS[name]) {
      for (const aeoi of [0, 1]) {
        const bench = pair(chip, { icw4: 0x01 | (aeoi << 1) });
        bench.raise(first + level);
        bench.acknowledgeInterrupt();
        t.equal(bench.isr(chip), aeoi ? 0 : 1 << level, `ICW4 bit 1, AEOI ${aeoi}, IR${level}`);
      }
    }
  });

  t.test(`OCW3 ESMM and SMM of the ${name}: a masked level in service lets others through`, async (t) => {
    const [high, low] = [1, 6];
    for (const [ocw3, text, through] of [
      [0x68, 'ESMM 1, SMM 1', 1],
      [0x48, 'ESMM 1, SMM 0', 0],
      [0x28, 'ESMM 0, SMM 1', 0],
      [0x08, 'ESMM 0, SMM 0', 0],
    ] as const) {
      const bench = pair(chip, {});
      bench.raise(first + high);
      bench.acknowledgeInterrupt();
      endAtMaster(bench, chip);
      bench.out(chip + 1, 1 << high);
      bench.raise(first + low);
      bench.out(chip, ocw3);
      t.equal(bench.intr, through, `OCW3 bits 6:5, ${text}`);
      bench.out(chip, SET_SPECIAL_MASK, 0x28);
      t.equal(bench.intr, 1, 'OCW3 bit 6, ESMM 0: special mask mode stays set');
      bench.out(chip, 0x48);
      t.equal(bench.intr, 0, 'OCW3 bit 6, ESMM 1, SMM 0: it is reset');
    }
  });

  t.test(`OCW3 RR and RIS of the ${name}: which register is read`, async (t) => {
    const [served, waiting] = [3, 5];
    const bench = pair(chip, {});
    bench.raise(first + served);
    bench.acknowledgeInterrupt();
    bench.raise(first + waiting);
    for (const [ocw3, expected, text] of [
      [0x0a, 1 << waiting, 'RR 1, RIS 0: IRR'],
      [0x09, 1 << waiting, 'RR 0, RIS 1: the choice stays'],
      [0x0b, 1 << served, 'RR 1, RIS 1: ISR'],
      [0x08, 1 << served, 'RR 0, RIS 0: the choice stays'],
    ] as const) {
      bench.out(chip, ocw3);
      t.equal(bench.portRead(chip), expected, `OCW3 bits 1:0, ${text}`);
    }
  });

  t.test(`OCW3 P of the ${name}: the next read acknowledges`, async (t) => {
    for (const level of LEVELS[name]) {
      const bench = pair(chip, {});
      bench.raise(first + level);
      bench.out(chip, 0x0c);
      t.equal(bench.portRead(chip), 0x80 | level, `OCW3 bit 2, P: I and bits 2:0 of the poll word, IR${level}`);
      t.equal(bench.isr(chip), 1 << level, `OCW3 bit 2, P: IR${level} is in service`);
    }
  });
}

/** Level that is served first of all that `chip` can request. */
function firstServed(bench: PicBench, chip: number, first: number): number {
  const levels = chip === MASTER ? LEVELS.master : LEVELS.slave;
  bench.lower(...levels.map((level) => first + level));
  bench.raise(...levels.map((level) => first + level));
  return bench.acknowledgeInterrupt() & 7;
}

/** The level after this one in the chip's ring of priorities; the master's IR2 is the slave's. */
function after(level: number, chip: number): number {
  const next = (level + 1) & 7;
  return chip === MASTER && next === 2 ? 3 : next;
}

for (const { name, chip, first } of CHIPS) {
  t.test(`OCW2 R, SL and EOI of the ${name}: each command, for each level`, async (t) => {
    for (const level of LEVELS[name]) {
      for (const [command, text, ends, rotates] of [
        [0x20, 'non-specific EOI', true, false],
        [0x60, 'specific EOI', true, false],
        [0xa0, 'rotate on non-specific EOI', true, true],
        [0xe0, 'rotate on specific EOI', true, true],
        [0xc0, 'set priority', false, true],
        [0x40, 'no operation', false, false],
        [0x80, 'rotate in automatic EOI mode, set', false, false],
        [0x00, 'rotate in automatic EOI mode, clear', false, false],
      ] as const) {
        const bench = pair(chip, {});
        bench.raise(first + level);
        bench.acknowledgeInterrupt();
        bench.out(chip, command | level);
        const isr = bench.isr(chip);
        bench.out(chip, SPECIFIC_EOI | level);
        endAtMaster(bench, chip);
        const served = firstServed(bench, chip, first);
        t.same(
          { isr, served },
          { isr: ends ? 0 : 1 << level, served: rotates ? after(level, chip) : 0 },
          `OCW2 bits 7:5, ${text}, IR${level}`,
        );
      }
    }
  });

  t.test(`OCW2 rotation in automatic EOI mode of the ${name}, for each level`, async (t) => {
    for (const level of LEVELS[name]) {
      for (const rotate of [1, 0]) {
        const bench = pair(chip, { icw4: 0x03 });
        bench.out(chip, 0x80, rotate << 7);
        bench.raise(first + level);
        bench.acknowledgeInterrupt();
        endAtMaster(bench, chip);
        const served = firstServed(bench, chip, first);
        t.equal(served, rotate ? after(level, chip) : 0, `OCW2 bit 7, R ${rotate} under AEOI, IR${level}`);
      }
    }
  });
}

t.test('ICW4 SFNM of the master: a higher level of the slave in service interrupts', async (t) => {
  for (let level = 1; level < 8; level++) {
    for (const sfnm of [0, 1]) {
      const bench = pair(MASTER, { icw4: 0x01 | (sfnm << 4) });
      bench.raise(8 + level);
      bench.acknowledgeInterrupt();
      bench.raise(8 + level - 1);
      t.equal(bench.intr, sfnm, `ICW4 bit 4, SFNM ${sfnm}: IR${level - 1} of the slave over its IR${level}`);
    }
  }
});

t.test('ICW4 SFNM of the master: lower inputs of the master wait', async (t) => {
  for (const level of [3, 4, 5, 6, 7]) {
    const bench = pair(MASTER, { icw4: 0x11 });
    bench.raise(9);
    bench.acknowledgeInterrupt();
    bench.raise(level);
    t.equal(bench.intr, 0, `ICW4 bit 4, SFNM: IR${level} waits for the slave`);
  }
});

t.test('ICW1 IC4 and SNGL: how many words follow', async (t) => {
  for (const [icw1, words, text] of [
    [0x10, 2, 'IC4 0, SNGL 0: ICW2, ICW3'],
    [0x11, 3, 'IC4 1, SNGL 0: ICW2, ICW3, ICW4'],
    [0x12, 1, 'IC4 0, SNGL 1: ICW2'],
    [0x13, 2, 'IC4 1, SNGL 1: ICW2, ICW4'],
  ] as const) {
    const bench = new PicBench({ profile: 'datasheet' });
    bench.out(MASTER, icw1);
    // The first word after the last ICW is the mask.
    const initialisation = [0x40, ...(icw1 & 2 ? [] : [0x04]), ...(icw1 & 1 ? [0x01] : [])];
    t.equal(initialisation.length, words);
    bench.out(MASTER + 1, ...initialisation, 0xa5);
    t.equal(bench.portRead(MASTER + 1), 0xa5, `ICW1 bits 1:0, ${text}`);
    bench.out(MASTER + 1, 0);
    bench.raise(6);
    t.equal(bench.acknowledgeInterrupt(), 0x46, `ICW1 bits 1:0, ${text}: the chip is ready`);
  }
});

t.test('ICW3 of the master: which inputs have a slave', async (t) => {
  for (const level of LEVELS.master) {
    for (const hasSlave of [0, 1]) {
      const bench = new PicBench({ profile: 'datasheet' });
      bench.out(MASTER, 0x11);
      bench.out(MASTER + 1, 0x40, hasSlave << level, 0x01);
      bench.raise(level);
      const expected = hasSlave ? 0xff : 0x40 | level;
      t.equal(bench.acknowledgeInterrupt(), expected, `ICW3 bit ${level}: ${hasSlave ? 'nobody answers' : 'no slave'}`);
    }
  }
});

t.test('ICW1 clears the mask, what is in service, the priorities and the modes', async (t) => {
  const bench = new PicBench({ profile: 'datasheet' });
  bench.raise(5);
  bench.acknowledgeInterrupt();
  bench.out(MASTER, 0xc3, SET_SPECIAL_MASK, 0x0b);
  bench.out(MASTER + 1, 0xff);
  bench.initialise();
  t.equal(bench.portRead(MASTER + 1), 0, 'ICW1: the mask is cleared');
  t.equal(bench.portRead(MASTER), 0, 'ICW1: status read is set to IRR, and the edge sense circuit is reset');
  t.equal(bench.isr(MASTER), 0, 'ICW1: nothing is in service');
  bench.lower(5);
  bench.raise(5, 4);
  t.equal(bench.acknowledgeInterrupt(), 0x24, 'ICW1: IR7 has the lowest priority');
  bench.out(MASTER + 1, 0x10);
  t.equal(bench.intr, 0, 'ICW1: special mask mode is cleared');
  bench.out(MASTER, EOI);
  t.equal(bench.intr, 1);
});
