import t from 'tap';
import { comparatorOf, periodic, turnOn } from '../../../support/hpet-registers.js';
import { LateMachine } from '../../../support/late-machine.js';
import { raises } from '../../../support/outputs.js';

const SECOND = 1_000_000_000;
const HOUR = 3_600 * SECOND;
/** Ticks: the timer has a period of 1 ms. */
const PERIOD = 100_000;

interface Cost {
  readonly expiries: number;
  readonly operations: number;
  readonly comparator: bigint;
}

/** What it costs a main loop to run again after a pause in which the clock went on. */
function costOfPause(ns: number, locking: 'bql' | 'lockless-timer' | 'lockless-irq'): Cost {
  const bench = new LateMachine({ locking });
  periodic(bench, 2, 11, PERIOD, PERIOD);
  turnOn(bench);
  bench.passTo(ns);
  const operations = bench.runMainLoop();
  return { expiries: raises(bench).length, operations, comparator: bench.readHpet(comparatorOf(2)) };
}

for (const locking of ['bql', 'lockless-timer', 'lockless-irq'] as const) {
  t.test(`${locking}: to catch up costs the same after a pause of a second and of an hour`, async (t) => {
    const second = costOfPause(SECOND, locking);
    const hour = costOfPause(HOUR, locking);
    t.equal(second.expiries, 1);
    t.equal(hour.expiries, 1);
    t.equal(hour.operations, second.operations);
    t.ok(second.operations > 0 && second.operations < 500, `${second.operations} memory operations`);
    t.equal(second.comparator, BigInt(SECOND / 10 + PERIOD));
    t.equal(hour.comparator, BigInt(HOUR / 10 + PERIOD));
  });
}
