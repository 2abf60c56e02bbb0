import t from 'tap';
import { INT_TYPE_CNF, MAIN_COUNTER, MODE32_CNF } from '../../../../src/core/devices/hpet/registers.js';
import type { Profile } from '../../../../src/core/devices/quirks.js';
import {
  comparatorOf,
  configurationOf,
  oneShot,
  periodic,
  routed,
  turnOff,
  turnOn,
} from '../../../support/hpet-registers.js';
import { LateMachine } from '../../../support/late-machine.js';
import { outputs } from '../../../support/outputs.js';

/** A machine at virtual time `now` whose main loop has not run what came due on the way. */
function late(profile: Profile, now: number, set: (bench: LateMachine) => void): LateMachine {
  const bench = new LateMachine({ profile });
  set(bench);
  turnOn(bench);
  // Timers with reset comparators: `qemu-11.1` has them interrupt at once.
  bench.runMainLoop();
  bench.takeEvents();
  bench.passTo(now);
  return bench;
}

const PULSE = ['line 11 = 1 @5000', 'line 11 = 0 @5000'];

for (const profile of ['standard', 'datasheet', 'qemu-11.1'] as const) {
  for (const [mode, bits] of [
    ['64-bit', 0],
    ['32-bit', MODE32_CNF],
  ] as const) {
    for (const [what, write] of [
      ['its comparator', (bench: LateMachine) => bench.writeHpet(comparatorOf(2), 10_000_000)],
      ['the configuration of the HPET', (bench: LateMachine) => turnOff(bench)],
    ] as const) {
      t.test(
        `${profile}: a ${mode} match that the main loop is late for is not lost to a write of ${what}`,
        async (t) => {
          const bench = late(profile, 5_000, (bench) => oneShot(bench, 2, 11, 100, bits));
          write(bench);
          t.same(outputs(bench, 'line'), PULSE);
          bench.runMainLoop();
          t.same(outputs(bench, 'line'), [], 'and the late callback finds that it is no longer wanted');
        },
      );
    }
  }
}

t.test('a match that was met while the timer was level-triggered sets the status bit before the write', async (t) => {
  const bench = late('standard', 5_000, (bench) => oneShot(bench, 2, 11, 100, INT_TYPE_CNF));
  bench.writeHpet(configurationOf(2), routed(12) | INT_TYPE_CNF);
  t.same(outputs(bench, 'line'), ['line 11 = 1 @5000', 'line 11 = 0 @5000', 'line 12 = 1 @5000']);
});

t.test('a counter write comes after the matches before it', async (t) => {
  const bench = late('standard', 5_000, (bench) => oneShot(bench, 2, 11, 100));
  bench.writeHpet(MAIN_COUNTER, 0);
  t.same(outputs(bench, 'line'), PULSE);
  bench.passTo(6_000);
  bench.runMainLoop();
  t.same(outputs(bench, 'line'), ['line 11 = 1 @6000', 'line 11 = 0 @6000'], 'set back, it meets the comparator again');
});

t.test('a write to a late periodic timer sees the comparator that follows the counter', async (t) => {
  const bench = late('standard', 5_000, (bench) => periodic(bench, 2, 11, 100, 150));
  bench.writeHpet(configurationOf(2), routed(11) | 8);
  t.same(outputs(bench, 'line'), PULSE, 'one interrupt for all that was missed');
  t.equal(bench.readHpet(comparatorOf(2)), 550n);
});

t.test('a match that is still ahead is not touched', async (t) => {
  const bench = late('standard', 999, (bench) => oneShot(bench, 2, 11, 100));
  bench.writeHpet(configurationOf(2), routed(11));
  t.same(outputs(bench, 'line'), []);
});

t.test('a callback that does not learn of its cancellation finds the HPET off, and arms nothing', async (t) => {
  const bench = new LateMachine({ generationCheck: false });
  periodic(bench, 2, 11, 100, 150);
  turnOn(bench);
  bench.passTo(5_000);
  const { hpet, timers } = bench.machine.chipset;
  turnOff(bench);
  hpet.expire(2);
  t.equal(timers.earliest(), Number.POSITIVE_INFINITY);
});
