import fc from 'fast-check';
import t from 'tap';
import { PROFILE_NAMES } from '../../../src/core/devices/quirks.js';
import { PRESET_NAMES } from '../../../src/core/locking/presets.js';
import { CLOCK_END } from '../../../src/core/machine/clock.js';
import { CONTROL_PAUSE, CONTROL_RESTORE, CONTROL_RESUME } from '../../../src/core/machine/control-path.js';
import { oneShot, periodic, turnOn } from '../../support/hpet-registers.js';
import { LateMachine } from '../../support/late-machine.js';
import { raises } from '../../support/outputs.js';

const RUNS = { numRuns: 300 };
const HOUR = 3_600e9;

/** Whole ns up to `most`: near 0, near powers of two, where words and float64 change, and in between. */
const upTo = (most: number) =>
  fc
    .oneof(
      fc.double({ min: 0, max: 1, noNaN: true }).map((part) => part * most),
      fc.tuple(fc.integer({ min: 0, max: 62 }), fc.integer({ min: -2, max: 2 })).map(([bit, near]) => 2 ** bit + near),
      fc.integer({ min: 0, max: 1_000_000 }),
    )
    .map((ns) => Math.min(Math.max(0, Math.floor(ns)), most));

/** The uptime of the host that restores a machine: a second, or 500 years; in between the machine is the older one, or not. */
const uptime = upTo(2 ** 54);
const age = upTo(CLOCK_END - HOUR);

/** What a float64 as large as these can be wrong by. */
const stepOf = (...numbers: number[]) => Math.max(...numbers.map(Math.abs)) * Number.EPSILON * 2;

function control(bench: LateMachine, work: number, argument = 0): void {
  bench.due.requestControl(work, argument);
  bench.runMainLoop();
  if (!bench.due.control.takeDone()) throw new Error('control work was not done');
}

/** A machine of this age on a host of this uptime. */
function restored(
  host: number,
  virtual: number,
  options: ConstructorParameters<typeof LateMachine>[0] = {},
): LateMachine {
  const bench = new LateMachine(options);
  bench.passTo(host);
  control(bench, CONTROL_RESTORE, virtual);
  return bench;
}

t.test('a clock goes on from where it was, on a host of any uptime, running or paused', async () => {
  fc.assert(
    fc.property(uptime, age, upTo(HOUR), upTo(HOUR), (host, virtual, running, standing) => {
      const bench = restored(host, virtual);
      const { clock } = bench.machine;
      const step = stepOf(host, virtual, running, standing, HOUR);
      const isAt = (time: number) => Math.abs(clock.now() - time) <= step;
      const atOnce = isAt(virtual);
      bench.passTo(host + running);
      const after = isAt(virtual + running);
      control(bench, CONTROL_PAUSE);
      const paused = clock.now();
      bench.passTo(host + running + standing);
      const stood = clock.now() === paused;
      control(bench, CONTROL_RESUME);
      return atOnce && after && stood && isAt(virtual + running);
    }),
    RUNS,
  );
});

t.test('a paused clock is restored as well, and goes on', async () => {
  fc.assert(
    fc.property(uptime, age, upTo(HOUR), (host, virtual, passed) => {
      const bench = new LateMachine();
      control(bench, CONTROL_PAUSE);
      bench.passTo(host);
      control(bench, CONTROL_RESTORE, virtual);
      const exact = bench.machine.clock.now() === virtual;
      control(bench, CONTROL_RESUME);
      bench.passTo(host + passed);
      return exact && Math.abs(bench.machine.clock.now() - virtual - passed) <= stepOf(host, virtual, HOUR);
    }),
    RUNS,
  );
});

t.test('a one-shot timer fires once, when it is due and not before, whatever the ages', async () => {
  const options = fc.record({ profile: fc.constantFrom(...PROFILE_NAMES), locking: fc.constantFrom(...PRESET_NAMES) });
  fc.assert(
    fc.property(uptime, age, fc.integer({ min: 1, max: 1e10 }), options, (host, virtual, ticks, options) => {
      const bench = restored(host, virtual, options);
      turnOn(bench);
      bench.runMainLoop();
      oneShot(bench, 0, 9, ticks);
      bench.runMainLoop();
      bench.due.drainKicks();
      bench.takeEvents();
      const step = stepOf(host, virtual, ticks * 10);
      bench.passTo(host + Math.floor(ticks * 10 - 10 - step));
      bench.runMainLoop();
      bench.due.drainKicks();
      const early = raises(bench).length;
      const due = bench.mainLoop.nextHostTime();
      bench.passTo(due);
      bench.runMainLoop();
      bench.due.drainKicks();
      const fired = raises(bench);
      bench.runMainLoop();
      bench.due.drainKicks();
      const isOnTime = Math.abs(due - (host + ticks * 10)) <= 10 + step;
      // Ticks that are shorter than what a float64 can tell apart may all be over at once.
      return (early === 0 || ticks * 10 - 10 <= step) && early + fired.length === 1 && (early === 1 || isOnTime);
    }),
    RUNS,
  );
});

t.test('a periodic timer fires once at each of its deadlines, and the main loop never wakes without work', async () => {
  fc.assert(
    fc.property(uptime, age, fc.integer({ min: 1_000, max: 1e8 }), (host, virtual, period) => {
      const bench = restored(host, virtual);
      turnOn(bench);
      periodic(bench, 0, 9, period, period);
      const deadlines: number[] = [];
      for (let tick = 0; tick < 8; tick++) {
        bench.passTo(bench.mainLoop.nextHostTime());
        bench.runMainLoop();
        const events = bench.takeEvents().filter((event) => event.kind === 'line' && event.level === 1);
        if (events.length !== 1) return false;
        deadlines.push(events[0].deadline);
      }
      const step = stepOf(host, virtual, 8 * period * 10);
      // The first deadline may be put off, as it follows the write of the comparator by less than a microsecond.
      const [, ...rest] = deadlines;
      return rest.every((deadline, n) => n === 0 || Math.abs(deadline - rest[n - 1] - period * 10) <= step);
    }),
    RUNS,
  );
});

t.test('a clock stands still at its end, and no timer is due after it', async (t) => {
  const bench = restored(1e9, CLOCK_END - 1e6);
  bench.passTo(3e9);
  t.equal(bench.machine.clock.now(), CLOCK_END);
  turnOn(bench);
  oneShot(bench, 0, 9, 1_000_000);
  bench.runMainLoop();
  t.equal(bench.mainLoop.nextHostTime(), Number.POSITIVE_INFINITY);
  t.same(raises(bench), []);
});
