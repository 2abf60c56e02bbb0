import t from 'tap';
import { IOAPIC_BASE } from '../../../../src/core/devices/guest-map.js';
import { IOAPICARB, IOAPICID, IOAPICVER, IOREGSEL, IOWIN } from '../../../../src/core/devices/ioapic/registers.js';
import { U64 } from '../../../../src/core/memory/u64.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { highOf, lowOf } from '../../../support/redirection-entry.js';

const PINS = 24;

t.test('the id is bits 27:24, and the arbitration register reads it', async (t) => {
  const bench = new BenchMachine();
  bench.writeIoapic(IOAPICID, 0xffff_ffff);
  t.equal(bench.readIoapic(IOAPICID), 0x0f00_0000);
  t.equal(bench.readIoapic(IOAPICARB), 0x0f00_0000);
  bench.writeIoapic(IOAPICARB, 0);
  t.equal(bench.readIoapic(IOAPICARB), 0x0f00_0000, 'which cannot be written');
});

t.test('a reset restores the id that the machine was made with', async (t) => {
  const bench = new BenchMachine({ ioapic: { id: 9 } });
  t.equal(bench.readIoapic(IOAPICID), 0x0900_0000);
  bench.writeIoapic(IOAPICID, 0x0300_0000);
  bench.reset();
  t.equal(bench.readIoapic(IOAPICID), 0x0900_0000);
});

t.test('the version register tells version and last redirection entry, and cannot be written', async (t) => {
  for (const version of [0x11, 0x20]) {
    const bench = new BenchMachine({ ioapic: { version } });
    bench.writeIoapic(IOAPICVER, 0xffff_ffff);
    t.equal(bench.readIoapic(IOAPICVER), 0x0017_0000 | version);
  }
});

t.test('entries are masked after a reset, and all else in them 0', async (t) => {
  const bench = new BenchMachine();
  for (let pin = 0; pin < PINS; pin++) {
    t.equal(bench.readIoapic(lowOf(pin)), 0x0001_0000);
    t.equal(bench.readIoapic(highOf(pin)), 0);
    bench.writeIoapic(highOf(pin), 0x1234_5678);
    bench.writeIoapic(lowOf(pin), 0x0001_8000 | pin);
  }
  bench.reset();
  for (let pin = 0; pin < PINS; pin++) {
    t.equal(bench.readIoapic(lowOf(pin)), 0x0001_0000);
    t.equal(bench.readIoapic(highOf(pin)), 0);
  }
});

t.test('all bits of an entry are stored but delivery status and remote IRR', async (t) => {
  const bench = new BenchMachine();
  bench.writeIoapic(highOf(7), 0xffff_ffff);
  bench.writeIoapic(lowOf(7), 0xffff_ffff);
  t.equal(bench.readIoapic(highOf(7)), 0xffff_ffff);
  t.equal(bench.readIoapic(lowOf(7)), 0xffff_afff);
});

t.test('indirect registers that do not exist read 0 and take no writes', async (t) => {
  const bench = new BenchMachine();
  for (const register of [0x03, 0x0f, 0x40, 0xff]) {
    bench.writeIoapic(register, 0xffff_ffff);
    t.equal(bench.readIoapic(register), 0, `0x${register.toString(16)}`);
  }
});

t.test('the select register holds 8 bits, takes any size, and reads back', async (t) => {
  const bench = new BenchMachine();
  for (const size of [1, 2, 4]) {
    bench.write(IOAPIC_BASE + IOREGSEL, size, size === 1 ? 0x12 : 0x0112);
    t.equal(bench.read(IOAPIC_BASE + IOREGSEL, size), 0x12n, `${size} bytes`);
    bench.write(IOAPIC_BASE + IOREGSEL, 4, 0);
  }
});

t.test('the window takes 4-byte accesses only', async (t) => {
  const bench = new BenchMachine();
  bench.writeIoapic(highOf(3), 0x1234_5678);
  for (const size of [1, 2]) {
    bench.write(IOAPIC_BASE + IOWIN, size, 0xff);
    t.equal(bench.read(IOAPIC_BASE + IOWIN, size), 0n, `${size} bytes`);
  }
  t.equal(bench.read(IOAPIC_BASE + IOWIN, 4), 0x1234_5678n);
});

t.test('an 8-byte access is two of 4 bytes', async (t) => {
  const bench = new BenchMachine();
  bench.writeIoapic(highOf(3), 0x1234_5678);
  t.equal(bench.read(IOAPIC_BASE + IOWIN, 8), 0x1234_5678n);
  bench.write(IOAPIC_BASE + IOWIN, 8, 0x9999_9999_0000_0001n);
  t.equal(bench.read(IOAPIC_BASE + IOWIN, 4), 1n);
});

t.test('an unaligned access touches neither register', async (t) => {
  const bench = new BenchMachine();
  bench.writeIoapic(highOf(3), 0x1234_5678);
  bench.write(IOAPIC_BASE + IOWIN + 2, 4, 0xffff_ffffn);
  t.equal(bench.read(IOAPIC_BASE + IOWIN + 2, 4), 0n);
  t.equal(bench.read(IOAPIC_BASE + IOWIN, 4), 0x1234_5678n);
});

t.test('the registers repeat every 256 bytes of the 4 KiB', async (t) => {
  const bench = new BenchMachine();
  for (const alias of [0x100, 0xf00]) {
    bench.write(IOAPIC_BASE + alias + IOREGSEL, 4, highOf(3));
    bench.write(IOAPIC_BASE + alias + IOWIN, 4, alias);
    t.equal(bench.readIoapic(highOf(3)), alias);
    t.equal(bench.read(IOAPIC_BASE + alias + 0x20, 4), 0n, 'and the rest reads 0');
  }
  t.equal(bench.machine.read(IOAPIC_BASE + 0x1000, 4), false, 'behind them is no device');
  t.equal(bench.machine.write(IOAPIC_BASE - 4, 4, new U64()), false);
});
