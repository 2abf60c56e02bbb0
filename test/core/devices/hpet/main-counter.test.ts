import t from 'tap';
import { MAIN_COUNTER } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { comparatorOf, oneShot, turnOff, turnOn } from '../../../support/hpet-registers.js';
import { raises } from '../../../support/outputs.js';

t.test('the counter stands until the HPET is on, then counts every 10 ns', async (t) => {
  const bench = new BenchMachine();
  bench.advance(1_000);
  t.equal(bench.readHpet(MAIN_COUNTER), 0n);
  bench.advance(7);
  turnOn(bench);
  bench.advance(9);
  t.equal(bench.readHpet(MAIN_COUNTER), 0n);
  bench.advance(1);
  t.equal(bench.readHpet(MAIN_COUNTER), 1n, 'it counts from the moment of its start');
});

t.test('the counter keeps its value while it is halted, and goes on from there', async (t) => {
  const bench = new BenchMachine();
  turnOn(bench);
  bench.advance(1_239);
  turnOff(bench);
  bench.advance(5_000);
  t.equal(bench.readHpet(MAIN_COUNTER), 123n);
  turnOn(bench);
  bench.advance(70);
  t.equal(bench.readHpet(MAIN_COUNTER), 130n);
});

t.test('a halted counter is set by halves or at once', async (t) => {
  const bench = new BenchMachine();
  bench.writeHpet(MAIN_COUNTER, 0x1111_2222_3333_4444n);
  bench.writeHpet(MAIN_COUNTER, 0x55, 4);
  t.equal(bench.readHpet(MAIN_COUNTER), 0x1111_2222_0000_0055n);
  bench.writeHpet(MAIN_COUNTER + 4, 0x66, 4);
  t.equal(bench.readHpet(MAIN_COUNTER), 0x66_0000_0055n);
});

t.test('a running counter takes half of a new value and keeps the other', async (t) => {
  const bench = new BenchMachine();
  turnOn(bench);
  bench.advance(1_000);
  bench.writeHpet(MAIN_COUNTER + 4, 2, 4);
  t.equal(bench.readHpet(MAIN_COUNTER), 0x2_0000_0064n);
  bench.writeHpet(MAIN_COUNTER, 0, 4);
  t.equal(bench.readHpet(MAIN_COUNTER), 0x2_0000_0000n);
});

t.test('the counter carries into its upper half, and wraps after 2^64 ticks', async (t) => {
  const bench = new BenchMachine();
  bench.writeHpet(MAIN_COUNTER, 0xffff_fffen);
  turnOn(bench);
  bench.advance(30);
  t.equal(bench.readHpet(MAIN_COUNTER), 0x1_0000_0001n);
  turnOff(bench);
  bench.writeHpet(MAIN_COUNTER, (1n << 64n) - 2n);
  turnOn(bench);
  bench.advance(10);
  t.equal(bench.readHpet(MAIN_COUNTER), (1n << 64n) - 1n);
  bench.advance(10);
  t.equal(bench.readHpet(MAIN_COUNTER), 0n);
});

t.test('a comparator beyond the wrap is met there', async (t) => {
  const bench = new BenchMachine({ profile: 'datasheet' });
  bench.writeHpet(MAIN_COUNTER, (1n << 64n) - 10n);
  oneShot(bench, 2, 11, 5);
  turnOn(bench);
  bench.advance(1_000);
  t.same(raises(bench), [150]);
});

t.test('halting the counter holds up the timers; they go on when it does', async (t) => {
  const bench = new BenchMachine();
  oneShot(bench, 2, 11, 100);
  turnOn(bench);
  bench.advance(900);
  turnOff(bench);
  bench.advance(5_000);
  t.same(raises(bench), []);
  turnOn(bench);
  bench.advance(5_000);
  t.same(raises(bench), [6_000]);
  t.equal(bench.readHpet(comparatorOf(2)), 100n);
});
