import t from 'tap';
import { HPET_BASE } from '../../../../src/core/devices/guest-map.js';
import { MAIN_COUNTER } from '../../../../src/core/devices/hpet/registers.js';
import { U64 } from '../../../../src/core/memory/u64.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { comparatorOf, configurationOf, fsbRouteOf } from '../../../support/hpet-registers.js';

const PATTERN = 0x8877_6655_4433_2211n;

function patterned(): BenchMachine {
  const bench = new BenchMachine();
  bench.writeHpet(MAIN_COUNTER, PATTERN);
  return bench;
}

t.test('4 and 8 bytes read the halves and the whole of a register', async (t) => {
  const bench = patterned();
  t.equal(bench.readHpet(MAIN_COUNTER, 8), PATTERN);
  t.equal(bench.readHpet(MAIN_COUNTER, 4), 0x4433_2211n);
  t.equal(bench.readHpet(MAIN_COUNTER + 4, 4), 0x8877_6655n);
});

t.test('1 and 2 bytes read 0 and write nothing, at every offset of a register', async (t) => {
  const bench = patterned();
  for (const size of [1, 2]) {
    for (let offset = 0; offset <= 8 - size; offset++) {
      bench.writeHpet(MAIN_COUNTER + offset, 0xff, size);
      t.equal(bench.readHpet(MAIN_COUNTER + offset, size), 0n, `${size} at +${offset}`);
    }
  }
  t.equal(bench.readHpet(MAIN_COUNTER), PATTERN);
});

t.test('an unaligned 8-byte access is its aligned pieces: the 4-byte one counts', async (t) => {
  const bench = patterned();
  // +1: 1, 2, 4 and 1 bytes; the 4 bytes are the upper half, at bits 55:24 of the access.
  t.equal(bench.readHpet(MAIN_COUNTER + 1, 8), 0x8877_6655n << 24n);
  // +2: 2, 4 and 2 bytes.
  t.equal(bench.readHpet(MAIN_COUNTER + 2, 8), 0x8877_6655n << 16n);
  bench.writeHpet(MAIN_COUNTER + 2, 0xaaaa_0102_0304_bbbbn, 8);
  t.equal(bench.readHpet(MAIN_COUNTER), 0x0102_0304_4433_2211n);
});

t.test('an access that crosses registers reads and writes a half of each', async (t) => {
  const bench = new BenchMachine({ hpet: { routingCapability: 0x00f0_0000 } });
  const crossing = configurationOf(0) + 4;
  t.equal(bench.readHpet(crossing, 8), 0xffff_ffff_00f0_0000n);
  bench.writeHpet(crossing, 0x0000_1234_ffff_ffffn, 8);
  t.equal(bench.readHpet(comparatorOf(0)), 0xffff_ffff_0000_1234n);
  t.equal(bench.readHpet(configurationOf(0)), 0x00f0_0000_0000_0030n, 'the capability half takes no writes');
});

t.test('an access that crosses into the next timer block reaches both', async (t) => {
  const bench = new BenchMachine();
  // The reserved register at +0x18 of timer 0, then the configuration of timer 1.
  bench.writeHpet(0x11c, 0x0000_0004_ffff_ffffn, 8);
  t.equal(bench.readHpet(configurationOf(1), 4), 0x34n);
  t.equal(bench.readHpet(0x11c, 8), 0x34n << 32n);
});

t.test('reserved registers read 0 and take no writes', async (t) => {
  const bench = new BenchMachine();
  for (const offset of [0x008, 0x018, 0x028, 0x0e8, 0x0f8, 0x118, 0x160, 0x3f8]) {
    bench.writeHpet(offset, PATTERN);
    t.equal(bench.readHpet(offset), 0n, `0x${offset.toString(16)}`);
  }
});

t.test('the block is 1 KiB; an access that passes its end or lies before it belongs to no device', async (t) => {
  const { machine } = new BenchMachine({ hpet: { timers: 24 } });
  t.equal(machine.read(HPET_BASE + 0x3ff, 1), true);
  for (const [offset, size] of [
    [-1, 1],
    [-4, 8],
    [0x3fc, 8],
    [0x3ff, 2],
    [0x400, 4],
  ]) {
    t.equal(machine.read(HPET_BASE + offset, size), false, `read of ${size} at ${offset}`);
    t.equal(machine.write(HPET_BASE + offset, size, new U64()), false, `write of ${size} at ${offset}`);
  }
});

t.test('the FSB route of the last timer ends the registers', async (t) => {
  const bench = new BenchMachine({ hpet: { timers: 24 } });
  bench.writeHpet(fsbRouteOf(23), PATTERN);
  t.equal(bench.readHpet(0x3f0), PATTERN);
});
