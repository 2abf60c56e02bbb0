import t from 'tap';
import {
  GENERAL_CONFIGURATION,
  INT_TYPE_CNF,
  LEG_RT_CNF,
  MAIN_COUNTER,
  MAX_TIMERS,
  MODE32_CNF,
  TYPE_CNF,
} from '../../../../src/core/devices/hpet/registers.js';
import { PROFILE_NAMES, type Profile } from '../../../../src/core/devices/quirks.js';
import { PRESET_NAMES, type PresetName } from '../../../../src/core/locking/presets.js';
import {
  comparatorOf,
  configurationOf,
  fsbRouteOf,
  oneShot,
  periodic,
  routed,
  turnOff,
  turnOn,
} from '../../../support/hpet-registers.js';
import { LateMachine } from '../../../support/late-machine.js';

/** What one look at the clock takes: longer than any period below. */
const LOOK_NS = 5_000;
/** Far more looks than the events of one access need, each of which carries a time. */
const LOOKS = 2_000;

/** Writes of a guest that come after the matches before them. */
const WRITES: { readonly [what: string]: (bench: LateMachine) => void } = {
  'turning the HPET off': turnOff,
  'turning legacy mode on': (bench) => bench.writeHpet(GENERAL_CONFIGURATION, 1 | LEG_RT_CNF),
  'a counter write': (bench) => bench.writeHpet(MAIN_COUNTER, 0),
  'a configuration write': (bench) => bench.writeHpet(configurationOf(0), routed(0) | TYPE_CNF),
  'a comparator write': (bench) => bench.writeHpet(comparatorOf(0), 7),
  'a route write': (bench) => bench.writeHpet(fsbRouteOf(0), 0),
};

/** A machine whose 24 timers are all late, on a host whose clock moves on with each look. */
function late(profile: Profile, locking: PresetName, period: number, bits: number): LateMachine {
  const bench = new LateMachine({ profile, locking, hpet: { timers: MAX_TIMERS } });
  for (let timer = 0; timer < MAX_TIMERS; timer++) periodic(bench, timer, timer, 1_000, period, bits);
  turnOn(bench);
  bench.passTo(1_000_000);
  bench.takeEvents();
  bench.letClockRun(LOOK_NS, LOOKS);
  return bench;
}

for (const profile of PROFILE_NAMES) {
  t.test(`${profile}: no write expires a timer more than twice, however fast time passes`, async (t) => {
    for (const locking of PRESET_NAMES) {
      for (const [what, write] of Object.entries(WRITES)) {
        for (const [period, bits] of [
          [1, 0],
          [100, 0],
          [1, MODE32_CNF],
          [100, INT_TYPE_CNF],
        ]) {
          const bench = late(profile, locking, period, bits);
          const name = `${locking}: ${what}, period ${period}, bits ${bits}`;
          try {
            write(bench);
          } catch (error) {
            return t.fail(`${name}: ${error}`);
          }
          const raises = new Map<string, number>();
          for (const event of bench.takeEvents()) {
            if (event.kind !== 'line' || event.level === 0) continue;
            raises.set(event.source, (raises.get(event.source) ?? 0) + 1);
          }
          const most = Math.max(0, ...raises.values());
          if (most > 2) t.fail(`${name}: ${most} expiries`);
        }
      }
    }
    t.pass('all writes end');
  });
}

t.test('a match is lost to no write, wherever between two looks at the clock it lies', async (t) => {
  for (const profile of PROFILE_NAMES) {
    for (const [what, write] of [
      ['off', turnOff],
      ['counter', (bench: LateMachine) => bench.writeHpet(MAIN_COUNTER, 0xffff)],
    ] as const) {
      // A counter write changes nothing that a guest can read under this quirk of the profile.
      if (profile === 'qemu-11.1' && what === 'counter') continue;
      for (let comparator = 1; comparator < 40; comparator++) {
        const bench = new LateMachine({ profile });
        oneShot(bench, 2, 11, comparator);
        turnOn(bench);
        bench.takeEvents();
        bench.letClockRun(100, LOOKS);
        write(bench);
        bench.letClockRun(0, LOOKS);
        const raised = bench.takeEvents().some(({ kind }) => kind === 'line');
        // Each look takes ten ticks, and the first one of the access decides.
        t.equal(raised, comparator <= 10, `${profile}, ${what}: a comparator of ${comparator}`);
      }
    }
  }
});

t.test('an access reads the clock once for all timers', async (t) => {
  for (const [what, write] of Object.entries(WRITES)) {
    const bench = new LateMachine({ hpet: { timers: MAX_TIMERS } });
    // Not enabled: they expire without events, each of which carries a time.
    for (let timer = 0; timer < MAX_TIMERS; timer++) {
      bench.writeHpet(configurationOf(timer), TYPE_CNF | INT_TYPE_CNF);
      bench.writeHpet(comparatorOf(timer), 1_000);
    }
    turnOn(bench);
    bench.passTo(1_000_000);
    bench.letClockRun(0, 1);
    t.doesNotThrow(() => write(bench), what);
  }
});
