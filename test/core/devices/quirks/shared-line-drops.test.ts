import t from 'tap';
import { INT_ENB_CNF, INT_TYPE_CNF } from '../../../../src/core/devices/hpet/registers.js';
import type { Quirk } from '../../../../src/core/devices/quirks.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { acknowledge, configurationOf, oneShot, periodic, routed, turnOn } from '../../../support/hpet-registers.js';
import { outputs } from '../../../support/outputs.js';

const ON: Quirk[] = ['shared-line-drops'];

/** A machine whose level-triggered timers 1 and 2 both hold line 10. */
function shared(quirks: readonly Quirk[]): BenchMachine {
  const bench = new BenchMachine({ quirks });
  oneShot(bench, 1, 10, 100, INT_TYPE_CNF);
  oneShot(bench, 2, 10, 100, INT_TYPE_CNF);
  turnOn(bench);
  bench.advance(1_000);
  bench.takeEvents();
  return bench;
}

t.test('shared-line-drops on: acknowledging one timer lowers the line that the other holds', async (t) => {
  const bench = shared(ON);
  acknowledge(bench, 1);
  t.same(outputs(bench), ['line 10 = 0 @1000']);
  t.equal(bench.readHpet(0x020), 4n, 'though timer 2 is pending');
});

t.test('shared-line-drops off: the line is high until the last timer is acknowledged', async (t) => {
  const bench = shared([]);
  acknowledge(bench, 1);
  t.same(outputs(bench), []);
  acknowledge(bench, 2);
  t.same(outputs(bench), ['line 10 = 0 @1000']);
});

t.test('shared-line-drops on: a timer that expires without being enabled lowers the line as well', async (t) => {
  const bench = new BenchMachine({ quirks: ON });
  oneShot(bench, 1, 10, 100, INT_TYPE_CNF);
  oneShot(bench, 2, 10, 200, INT_TYPE_CNF);
  bench.writeHpet(configurationOf(2), (routed(10) | INT_TYPE_CNF) & ~INT_ENB_CNF);
  turnOn(bench);
  bench.advance(2_000);
  t.same(outputs(bench), ['line 10 = 1 @1000', 'line 10 = 0 @2000']);
});

t.test('shared-line-drops off: a timer that expires without being enabled touches no line', async (t) => {
  const bench = new BenchMachine({ quirks: [] });
  oneShot(bench, 1, 10, 100, INT_TYPE_CNF);
  oneShot(bench, 2, 10, 200, INT_TYPE_CNF);
  bench.writeHpet(configurationOf(2), (routed(10) | INT_TYPE_CNF) & ~INT_ENB_CNF);
  turnOn(bench);
  bench.advance(2_000);
  t.same(outputs(bench), ['line 10 = 1 @1000']);
});

t.test('shared-line-drops on: the next match of the other timer raises the line again', async (t) => {
  const bench = new BenchMachine({ quirks: ON });
  oneShot(bench, 1, 10, 150, INT_TYPE_CNF);
  periodic(bench, 2, 10, 100, 100, INT_TYPE_CNF);
  turnOn(bench);
  bench.advance(1_500);
  acknowledge(bench, 1);
  bench.advance(500);
  t.same(outputs(bench), ['line 10 = 1 @1000', 'line 10 = 0 @1500', 'line 10 = 1 @2000']);
});
