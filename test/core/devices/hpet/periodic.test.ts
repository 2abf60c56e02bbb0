import t from 'tap';
import { MAIN_COUNTER, MODE32_CNF, TYPE_CNF, VAL_SET_CNF } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { comparatorOf, configurationOf, periodic, routed, turnOff, turnOn } from '../../../support/hpet-registers.js';
import { raises } from '../../../support/outputs.js';

t.test('a periodic timer interrupts at its first comparator and then every period', async (t) => {
  const bench = new BenchMachine();
  periodic(bench, 0, 11, 500, 200);
  turnOn(bench);
  bench.advance(10_000);
  t.same(raises(bench), [5_000, 7_000, 9_000]);
  t.equal(bench.readHpet(comparatorOf(0)), 1100n);
});

t.test('with VAL_SET a comparator write sets comparator and period, and clears VAL_SET', async (t) => {
  const bench = new BenchMachine();
  bench.writeHpet(configurationOf(0), routed(11) | TYPE_CNF | VAL_SET_CNF);
  t.equal(bench.readHpet(configurationOf(0), 4) & BigInt(VAL_SET_CNF), BigInt(VAL_SET_CNF));
  bench.writeHpet(comparatorOf(0), 300);
  t.equal(bench.readHpet(configurationOf(0), 4) & BigInt(VAL_SET_CNF), 0n);
  turnOn(bench);
  bench.advance(10_000);
  t.same(raises(bench), [3_000, 6_000, 9_000]);
});

t.test('without VAL_SET a comparator write sets the period only, from the next match on', async (t) => {
  const bench = new BenchMachine({ profile: 'datasheet' });
  periodic(bench, 0, 11, 500, 200);
  turnOn(bench);
  bench.advance(5_500);
  bench.writeHpet(comparatorOf(0), 1000);
  t.equal(bench.readHpet(comparatorOf(0)), 700n);
  bench.advance(20_000);
  t.same(raises(bench), [5_000, 7_000, 17_000]);
});

t.test('with VAL_SET a running timer gets a new phase', async (t) => {
  const bench = new BenchMachine();
  periodic(bench, 0, 11, 500, 200);
  turnOn(bench);
  bench.advance(5_500);
  bench.writeHpet(configurationOf(0), routed(11) | TYPE_CNF | VAL_SET_CNF);
  bench.writeHpet(comparatorOf(0), 1000);
  bench.advance(15_500);
  t.same(raises(bench), [5_000, 10_000, 20_000]);
});

t.test('period 0 interrupts once', async (t) => {
  const bench = new BenchMachine();
  periodic(bench, 0, 11, 500, 0);
  turnOn(bench);
  bench.advance(100_000);
  t.same(raises(bench), [5_000]);
  t.equal(bench.readHpet(comparatorOf(0)), 500n);
});

t.test('a 32-bit periodic comparator wraps, and interrupts at its matches only', async (t) => {
  const bench = new BenchMachine();
  bench.writeHpet(MAIN_COUNTER, 0xffff_ff00n);
  periodic(bench, 0, 11, 0xffff_ff80n, 0x100, MODE32_CNF);
  turnOn(bench);
  bench.advance(0x80 * 10);
  t.equal(bench.readHpet(comparatorOf(0)), 0x80n);
  bench.advance(0x100 * 10);
  t.same(raises(bench), [0x80 * 10, 0x180 * 10]);
});

t.test('in 32-bit mode the period is cut to 32 bits', async (t) => {
  const bench = new BenchMachine();
  periodic(bench, 0, 11, 500, 0x7_0000_00c8n, MODE32_CNF);
  turnOn(bench);
  bench.advance(8_000);
  t.same(raises(bench), [5_000, 7_000]);
});

t.test('the period is written by halves too', async (t) => {
  const bench = new BenchMachine();
  bench.writeHpet(configurationOf(0), routed(11) | TYPE_CNF | VAL_SET_CNF);
  bench.writeHpet(comparatorOf(0), 500);
  bench.writeHpet(comparatorOf(0), 200, 4);
  bench.writeHpet(comparatorOf(0) + 4, 1, 4);
  turnOn(bench);
  bench.advance(5_000);
  t.equal(bench.readHpet(comparatorOf(0)), 0x1_0000_0000n + 700n);
});

t.test('a halted periodic timer goes on where it was', async (t) => {
  const bench = new BenchMachine();
  periodic(bench, 0, 11, 200, 200);
  turnOn(bench);
  bench.advance(3_000);
  turnOff(bench);
  bench.advance(50_000);
  turnOn(bench);
  bench.advance(3_000);
  t.same(raises(bench), [2_000, 54_000, 56_000]);
});

t.test('a periodic timer that becomes one-shot interrupts once more', async (t) => {
  const bench = new BenchMachine();
  periodic(bench, 0, 11, 200, 200);
  turnOn(bench);
  bench.advance(3_000);
  bench.writeHpet(configurationOf(0), routed(11));
  bench.advance(20_000);
  t.same(raises(bench), [2_000, 4_000]);
});
