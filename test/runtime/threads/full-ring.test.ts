import t from 'tap';
import { GENERAL_CONFIGURATION, TIMER_BLOCKS } from '../../../src/core/devices/hpet/registers.js';
import { PRESET_NAMES, PRESETS, type PresetName } from '../../../src/core/locking/presets.js';
import * as ring from '../../../src/runtime/rings/submission-ring.js';
import { LiveMachine } from '../../support/live-machine.js';
import { tier } from '../../support/tier.js';

/** More events than the event ring has records, two per period, before the first is delivered. */
const PERIODS = 10_000;
const ENABLE_PERIODIC_VAL_SET = 0x4c;

const LOCKING: readonly PresetName[] = tier.allPresets ? PRESET_NAMES : ['lockless-timer', 'deferred-revalidated'];

// The main loop waits for room again and again, and the gateway has to hear of it each time.
t.setTimeout(300_000);

for (const name of LOCKING) {
  t.test(`${name}: one step of the clock causes more events than the ring holds`, async (t) => {
    let events = 0;
    const machine = await LiveMachine.start(PRESETS[name], 1, () => events++, { clock: 'manual', countOverlap: false });
    t.teardown(() => machine.close());
    await machine.writeHpet(0, TIMER_BLOCKS, ENABLE_PERIODIC_VAL_SET | (4 << 9));
    await machine.writeHpet(0, TIMER_BLOCKS + 8, 100);
    await machine.writeHpet(0, GENERAL_CONFIGURATION, 1);
    await machine.call(0, ring.STEP, 0, PERIODS * 1000);
    t.equal(events, 2 * PERIODS);
  });
}
