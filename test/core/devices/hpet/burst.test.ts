import t from 'tap';
import {
  ENABLE_CNF,
  GENERAL_CONFIGURATION,
  INT_TYPE_CNF,
  LEG_RT_CNF,
  MAIN_COUNTER,
  MAX_TIMERS,
} from '../../../../src/core/devices/hpet/registers.js';
import {
  DELIVERY_MODE_SHIFT,
  EXT_INT,
  IOREDTBL,
  PIN_COUNT,
  TRIGGER_LEVEL,
} from '../../../../src/core/devices/ioapic/registers.js';
import { PROFILE_NAMES, type Profile } from '../../../../src/core/devices/quirks.js';
import { PRESET_NAMES, type PresetName } from '../../../../src/core/locking/presets.js';
import { LARGEST_BURST } from '../../../../src/runtime/events/event-ring.js';
import { periodic, turnOff, turnOn } from '../../../support/hpet-registers.js';
import { LateMachine } from '../../../support/late-machine.js';

/** ICW1 to ICW4 of both chips: a pair that delivers every request, and ends it by itself. */
function initialise(bench: LateMachine): void {
  for (const [command, icw2, icw3] of [
    [0x20, 0x20, 0x04],
    [0xa0, 0x28, 0x02],
  ]) {
    bench.portWrite(command, 0x11);
    bench.portWrite(command + 1, icw2);
    bench.portWrite(command + 1, icw3);
    bench.portWrite(command + 1, 0x03);
    bench.portWrite(command + 1, 0);
  }
}

/** 24 late timers, each on a line of its own that reaches both interrupt controllers. */
function late(profile: Profile, locking: PresetName, bits: number, entry: number): LateMachine {
  const bench = new LateMachine({ profile, locking, hpet: { timers: MAX_TIMERS } });
  initialise(bench);
  for (let pin = 0; pin < PIN_COUNT; pin++) bench.writeIoapic(IOREDTBL + 2 * pin, entry | (0x40 + pin));
  for (let timer = 0; timer < MAX_TIMERS; timer++) periodic(bench, timer, timer, 1_000, 1, bits);
  turnOn(bench);
  // In the middle of a tick: under `periodic-double` a timer is due for its second expiry as well.
  bench.passTo(1_000_005);
  bench.takeEvents();
  return bench;
}

/** Writes that settle all timers. */
const WRITES: readonly ((bench: LateMachine) => void)[] = [
  turnOff,
  (bench) => bench.writeHpet(GENERAL_CONFIGURATION, ENABLE_CNF | LEG_RT_CNF),
  // Turns the HPET off, and legacy mode on.
  (bench) => bench.writeHpet(GENERAL_CONFIGURATION, LEG_RT_CNF),
  (bench) => bench.writeHpet(MAIN_COUNTER, 0),
];
const ENTRIES = [0, EXT_INT << DELIVERY_MODE_SHIFT, TRIGGER_LEVEL];

/** The most events of one access under a profile. */
function largestBurst(profile: Profile): number {
  let most = 0;
  for (const locking of PRESET_NAMES) {
    for (const [bits, entry, write] of combinations([0, INT_TYPE_CNF], ENTRIES, WRITES)) {
      const bench = late(profile, locking, bits, entry);
      write(bench);
      most = Math.max(most, bench.takeEvents().length);
    }
  }
  return most;
}

function combinations<A, B, C>(as: readonly A[], bs: readonly B[], cs: readonly C[]): (readonly [A, B, C])[] {
  return as.flatMap((a) => bs.flatMap((b) => cs.map((c) => [a, b, c] as const)));
}

for (const profile of PROFILE_NAMES) {
  t.test(`${profile}: the event ring reserves room for all events of one access`, async (t) => {
    const most = largestBurst(profile);
    t.comment(`${most} events`);
    t.ok(most > 2 * MAX_TIMERS && most <= LARGEST_BURST);
  });
}
