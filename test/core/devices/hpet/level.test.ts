import t from 'tap';
import { INT_ENB_CNF, INT_TYPE_CNF, INTERRUPT_STATUS } from '../../../../src/core/devices/hpet/registers.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import {
  acknowledge,
  configurationOf,
  oneShot,
  periodic,
  routed,
  turnOff,
  turnOn,
} from '../../../support/hpet-registers.js';
import { outputs } from '../../../support/outputs.js';

t.test('a level timer holds its line, and its status bit, until it is acknowledged', async (t) => {
  const bench = new BenchMachine();
  oneShot(bench, 1, 11, 100, INT_TYPE_CNF);
  turnOn(bench);
  bench.advance(5_000);
  t.same(outputs(bench), ['line 11 = 1 @1000']);
  t.equal(bench.readHpet(INTERRUPT_STATUS), 2n);
  acknowledge(bench, 0, 2);
  t.same(outputs(bench), [], 'the bits of other timers do not matter');
  acknowledge(bench, 1);
  t.same(outputs(bench), ['line 11 = 0 @5000']);
  t.equal(bench.readHpet(INTERRUPT_STATUS), 0n);
});

t.test('an acknowledgement in the upper half of the status register does nothing', async (t) => {
  const bench = new BenchMachine();
  oneShot(bench, 0, 11, 100, INT_TYPE_CNF);
  turnOn(bench);
  bench.advance(1_000);
  bench.writeHpet(INTERRUPT_STATUS + 4, 1, 4);
  t.equal(bench.readHpet(INTERRUPT_STATUS), 1n);
});

t.test('an edge timer sets no status bit', async (t) => {
  const bench = new BenchMachine();
  oneShot(bench, 1, 11, 100);
  turnOn(bench);
  bench.advance(1_000);
  t.equal(bench.readHpet(INTERRUPT_STATUS), 0n);
});

t.test('a periodic level timer that is not acknowledged keeps its line high', async (t) => {
  const bench = new BenchMachine();
  periodic(bench, 1, 11, 100, 100, INT_TYPE_CNF);
  turnOn(bench);
  bench.advance(3_500);
  t.same(outputs(bench), ['line 11 = 1 @1000']);
  acknowledge(bench, 1);
  bench.advance(500);
  t.same(outputs(bench), ['line 11 = 0 @3500', 'line 11 = 1 @4000']);
});

t.test('a level timer that is not enabled sets its status bit; enabling it raises the line', async (t) => {
  const bench = new BenchMachine();
  oneShot(bench, 1, 11, 100, INT_TYPE_CNF);
  bench.writeHpet(configurationOf(1), (routed(11) | INT_TYPE_CNF) & ~INT_ENB_CNF);
  turnOn(bench);
  bench.advance(2_000);
  t.equal(bench.readHpet(INTERRUPT_STATUS), 2n);
  t.same(outputs(bench), []);
  bench.writeHpet(configurationOf(1), routed(11) | INT_TYPE_CNF);
  t.same(outputs(bench), ['line 11 = 1 @2000']);
});

t.test('turning the HPET off lowers the lines; turning it on raises those of pending timers', async (t) => {
  const bench = new BenchMachine();
  oneShot(bench, 1, 11, 100, INT_TYPE_CNF);
  turnOn(bench);
  bench.advance(1_000);
  turnOff(bench);
  t.equal(bench.readHpet(INTERRUPT_STATUS), 2n);
  turnOn(bench);
  t.same(outputs(bench), ['line 11 = 1 @1000', 'line 11 = 0 @1000', 'line 11 = 1 @1000']);
});

t.test('switching a pending timer from level to edge clears its status bit and lowers its line', async (t) => {
  const bench = new BenchMachine();
  oneShot(bench, 1, 11, 100, INT_TYPE_CNF);
  turnOn(bench);
  bench.advance(1_000);
  bench.writeHpet(configurationOf(1), routed(12));
  t.same(outputs(bench), ['line 11 = 1 @1000', 'line 11 = 0 @1000']);
  t.equal(bench.readHpet(INTERRUPT_STATUS), 0n);
});
