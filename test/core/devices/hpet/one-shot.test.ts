import t from 'tap';
import { INT_ENB_CNF, MAIN_COUNTER, MODE32_CNF } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { comparatorOf, configurationOf, oneShot, routed, turnOff, turnOn } from '../../../support/hpet-registers.js';
import { outputs, raises } from '../../../support/outputs.js';

/** 2^32 ticks in ns. */
const WRAP = 2 ** 32 * 10;

t.test('a one-shot timer pulses its line once, at the tick of its comparator', async (t) => {
  const bench = new BenchMachine();
  oneShot(bench, 2, 11, 100);
  turnOn(bench);
  bench.advance(999);
  t.same(outputs(bench), []);
  bench.advance(1);
  t.same(outputs(bench), ['line 11 = 1 @1000', 'line 11 = 0 @1000']);
  bench.advance(WRAP);
  t.same(outputs(bench), []);
  t.equal(bench.readHpet(comparatorOf(2)), 100n);
});

t.test('a 64-bit comparator is written by halves or at once', async (t) => {
  const bench = new BenchMachine();
  bench.writeHpet(configurationOf(2), routed(11));
  bench.writeHpet(MAIN_COUNTER, 0xffff_ff00n);
  turnOn(bench);
  bench.writeHpet(comparatorOf(2) + 4, 1, 4);
  bench.writeHpet(comparatorOf(2), 0x10, 4);
  bench.advance(10_000);
  t.same(raises(bench), [0x110 * 10]);
});

t.test('a later comparator takes the place of the one that was armed', async (t) => {
  const bench = new BenchMachine();
  oneShot(bench, 2, 11, 100);
  turnOn(bench);
  bench.advance(500);
  bench.writeHpet(comparatorOf(2), 300);
  bench.advance(9_500);
  t.same(raises(bench), [3_000]);
});

t.test('a timer that is not enabled interrupts nobody', async (t) => {
  const bench = new BenchMachine();
  oneShot(bench, 2, 11, 100);
  bench.writeHpet(configurationOf(2), routed(11) & ~INT_ENB_CNF);
  turnOn(bench);
  bench.advance(2_000);
  t.same(outputs(bench), []);
});

t.test('an HPET that is off interrupts nobody', async (t) => {
  const bench = new BenchMachine();
  oneShot(bench, 2, 11, 100);
  turnOn(bench);
  turnOff(bench);
  bench.advance(2_000);
  t.same(outputs(bench), []);
});

t.test('a 32-bit timer looks at the low half of the counter', async (t) => {
  const bench = new BenchMachine();
  bench.writeHpet(MAIN_COUNTER, 0x5_0000_0000n);
  oneShot(bench, 2, 11, 100, MODE32_CNF);
  turnOn(bench);
  bench.advance(2_000);
  t.same(raises(bench), [1_000]);
});

t.test('a 32-bit one-shot timer whose match lies beyond the wrap does not interrupt at the wrap', async (t) => {
  const bench = new BenchMachine();
  bench.writeHpet(MAIN_COUNTER, 0xffff_ff9cn);
  oneShot(bench, 2, 11, 50, MODE32_CNF);
  turnOn(bench);
  bench.advance(5_000);
  t.same(raises(bench), [1_500]);
});

t.test('a 32-bit one-shot timer with its match exactly at the wrap interrupts once', async (t) => {
  const bench = new BenchMachine();
  bench.writeHpet(MAIN_COUNTER, 0xffff_ff9cn);
  oneShot(bench, 2, 11, 0, MODE32_CNF);
  turnOn(bench);
  bench.advance(5_000);
  t.same(raises(bench), [1_000]);
});

t.test('a 32-bit one-shot timer that was met does not interrupt at the wrap', async (t) => {
  const bench = new BenchMachine();
  oneShot(bench, 2, 11, 100, MODE32_CNF);
  turnOn(bench);
  bench.advance(WRAP + 5_000);
  t.same(raises(bench), [1_000]);
});

t.test('timers with one deadline interrupt in the order in which they were armed', async (t) => {
  const bench = new BenchMachine();
  turnOn(bench);
  for (const timer of [2, 0, 1]) oneShot(bench, timer, 10 + timer, 100);
  bench.advance(1_000);
  const lines = bench.takeEvents().map((event) => event.kind === 'line' && event.level === 1 && event.gsi);
  t.same(lines.filter(Boolean), [12, 10, 11]);
});
