import t from 'tap';
import { FSB_EN_CNF, INT_ENB_CNF, INT_TYPE_CNF, LEG_RT_CNF } from '../../../../src/core/devices/hpet/registers.js';
import type { Quirk } from '../../../../src/core/devices/quirks.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { acknowledge, configurationOf, oneShot, routed, turnOff, turnOn } from '../../../support/hpet-registers.js';
import { outputs } from '../../../support/outputs.js';

const ON: Quirk[] = ['stale-line'];

/** A machine whose level-triggered timer holds its line since 1,000 ns. */
function holding(quirks: readonly Quirk[], timer = 2, line = 11): BenchMachine {
  const bench = new BenchMachine({ quirks, hpet: { msi: true } });
  oneShot(bench, timer, line, 100, INT_TYPE_CNF);
  turnOn(bench);
  bench.advance(1_000);
  if (outputs(bench).join() !== `line ${line} = 1 @1000`) throw new Error('the line is not held');
  return bench;
}

t.test('stale-line on: clearing the enable bit leaves the line high', async (t) => {
  const bench = holding(ON);
  bench.writeHpet(configurationOf(2), (routed(11) | INT_TYPE_CNF) & ~INT_ENB_CNF);
  t.same(outputs(bench), []);
  acknowledge(bench, 2);
  t.same(outputs(bench), ['line 11 = 0 @1000']);
});

t.test('stale-line off: clearing the enable bit lowers the line, setting it raises it again', async (t) => {
  const bench = holding([]);
  bench.writeHpet(configurationOf(2), (routed(11) | INT_TYPE_CNF) & ~INT_ENB_CNF);
  t.same(outputs(bench), ['line 11 = 0 @1000']);
  bench.writeHpet(configurationOf(2), routed(11) | INT_TYPE_CNF);
  t.same(outputs(bench), ['line 11 = 1 @1000']);
});

t.test('stale-line on: after a route change the old line stays high, whatever is acknowledged', async (t) => {
  const bench = holding(ON);
  bench.writeHpet(configurationOf(2), routed(12) | INT_TYPE_CNF);
  t.same(outputs(bench), []);
  acknowledge(bench, 2);
  t.same(outputs(bench), []);
  t.equal(bench.machine.chipset.router.level(11), 1);
});

t.test('stale-line off: a route change moves the interrupt to the new line', async (t) => {
  const bench = holding([]);
  bench.writeHpet(configurationOf(2), routed(12) | INT_TYPE_CNF);
  t.same(outputs(bench), ['line 11 = 0 @1000', 'line 12 = 1 @1000']);
  acknowledge(bench, 2);
  t.same(outputs(bench), ['line 12 = 0 @1000']);
});

t.test('stale-line on: choosing FSB delivery leaves the line high', async (t) => {
  const bench = holding(ON);
  bench.writeHpet(configurationOf(2), routed(11) | INT_TYPE_CNF | FSB_EN_CNF);
  acknowledge(bench, 2);
  t.same(outputs(bench), []);
  t.equal(bench.machine.chipset.router.level(11), 1);
});

t.test('stale-line off: choosing FSB delivery lowers the line', async (t) => {
  const bench = holding([]);
  bench.writeHpet(configurationOf(2), routed(11) | INT_TYPE_CNF | FSB_EN_CNF);
  t.same(outputs(bench), ['line 11 = 0 @1000']);
});

t.test('stale-line on: entering legacy replacement leaves the line of a timer high', async (t) => {
  const bench = holding(ON, 1, 11);
  turnOn(bench, true);
  t.same(outputs(bench), []);
  t.equal(bench.machine.chipset.router.level(11), 1);
});

t.test('stale-line on: leaving legacy replacement lowers lines 0 and 8 and raises no other', async (t) => {
  const bench = new BenchMachine({ quirks: ON });
  oneShot(bench, 1, 11, 100, INT_TYPE_CNF);
  turnOn(bench, true);
  bench.advance(1_000);
  t.same(outputs(bench), ['line 8 = 1 @1000']);
  turnOn(bench);
  t.same(outputs(bench), ['line 8 = 0 @1000']);
});

t.test('stale-line off: a pending interrupt follows legacy replacement in and out', async (t) => {
  const bench = holding([], 1, 11);
  turnOn(bench, true);
  t.same(outputs(bench), ['line 11 = 0 @1000', 'line 8 = 1 @1000']);
  turnOn(bench);
  t.same(outputs(bench), ['line 8 = 0 @1000', 'line 11 = 1 @1000']);
});

t.test('stale-line: turning the HPET off lowers the line either way, and keeps the status bit', async (t) => {
  for (const quirks of [ON, []]) {
    const bench = holding(quirks);
    turnOff(bench);
    t.same(outputs(bench), ['line 11 = 0 @1000'], `with [${quirks}]`);
    t.equal(bench.readHpet(0x020), 4n);
    bench.writeHpet(0x010, LEG_RT_CNF | 1);
    t.same(outputs(bench), ['line 11 = 1 @1000'], 'and turning it on raises it');
  }
});
