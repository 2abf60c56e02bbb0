import t from 'tap';
import { PRESET_NAMES, PRESETS, type PresetName } from '../../../src/core/locking/presets.js';
import { runOne } from '../../../src/lab/explore/campaign.js';
import { scenarioNamed } from '../../../src/lab/explore/scenarios.js';
import { tier } from '../../support/tier.js';

t.setTimeout(600_000);

const SOME: readonly PresetName[] = ['lockless-timer', 'lockless-irq'];

function run(preset: PresetName, name: string) {
  return runOne({ name: preset, design: PRESETS[preset] }, scenarioNamed(name), { mutex: 'blocking' });
}

for (const preset of tier.exploresEverySeededBug ? PRESET_NAMES : SOME) {
  t.test(`${preset}: a thread that waits for room in the event ring is woken in every interleaving`, async (t) => {
    const { complete, unexpected } = run(preset, 'ring-burst');
    t.same(unexpected, []);
    t.ok(complete);
  });

  t.test(`${preset}: callbacks that find no room in the event ring run once there is some`, async (t) => {
    const { complete, unexpected } = run(preset, 'ring-full');
    t.same(unexpected, []);
    t.equal(complete, !PRESETS[preset].timer.kicks, 'complete by default, except where vCPU threads run the callbacks');
  });

  t.test(`${preset}: requests that find no room in the event ring run later, in order`, async (t) => {
    t.same(run(preset, 'ring-held').unexpected, []);
  });
}

for (const preset of tier.exploresAllDesigns ? PRESET_NAMES : (['kick-and-drain'] as const)) {
  t.test(`${preset}: a one-shot that is armed again while it is due fires once per arming at most`, async (t) => {
    const { complete, unexpected } = run(preset, 'rearm-due');
    t.same(unexpected, []);
    t.ok(complete);
  });
}
