import t from 'tap';
import { designNamed } from '../../../src/core/locking/presets.js';
import { runOne } from '../../../src/lab/explore/campaign.js';
import { replayFinding } from '../../../src/lab/explore/replay-string.js';
import { scenarioNamed } from '../../../src/lab/explore/scenarios.js';
import { tier } from '../../support/tier.js';

t.setTimeout(1_200_000);

/** Each expected kind of finding, in the design and scenario that show it. */
const EXPECTED: readonly (readonly [locking: string, scenario: string])[] = [
  ['nested-mutex', 'callback-acknowledge'],
  ['legacy-race', 'callback-acknowledge'],
  ['legacy-race', 'comparator-read'],
  ['deferred-irq', 'callback-acknowledge'],
  ['lockless-timer', 'callback-acknowledge'],
  ['lockless-timer', 'generation-check'],
  ['lockless-irq', 'xen-flag'],
  ['lockless-irq', 'xen-flag-assert'],
  ['device/device/inline/naive', 'legacy-input'],
];

const MORE: typeof EXPECTED = [
  ['legacy-race', 'callback-comparator'],
  ['nested-mutex', 'reset-write'],
  ['deferred-irq', 'two-vcpus'],
  ['legacy-race', 'reset-callback'],
];

for (const [locking, name] of tier.exploresEverySeededBug ? [...EXPECTED, ...MORE] : EXPECTED) {
  t.test(`${locking} × ${name}: what was found is found again in ten of ten replays`, async (t) => {
    const design = designNamed(locking);
    const scenario = scenarioNamed(name);
    if (!design) throw new Error(`there is no design ${locking}`);
    const result = runOne(design, scenario, { mutex: 'blocking' });
    t.ok(result.complete);
    t.not(result.findings.length, 0);
    for (const [i, finding] of result.findings.entries()) {
      const isFirst = result.findings.findIndex(({ kind }) => kind === finding.kind) === i;
      if (!isFirst && !tier.exploresEverySeededBug) continue;
      let reproduced = 0;
      for (let round = 0; round < 10; round++) {
        const { findings } = replayFinding(result, finding, false);
        if (findings.some(({ kind, summary }) => kind === finding.kind && summary === finding.summary)) reproduced++;
      }
      t.equal(reproduced, 10, `${finding.kind}: ${finding.summary}`);
    }
  });
}

/** A replay, which checks each operation, first shows a race with the read before the write. */
const WRITES = ['hpet.timer[0].lastDeadline.low', 'hpet.timer[0].lastDeadline.high', 'hpet.timer[0].heldLine'];

t.test('a race is found again as what it was found to be', async (t) => {
  const design = designNamed('legacy-race');
  const scenario = scenarioNamed('callback-comparator');
  if (!design) throw new Error('there is no design legacy-race');
  const result = runOne(design, scenario, { mutex: 'blocking' });
  for (const word of WRITES) {
    const race = result.findings.find((finding) => finding.word === word && finding.key === word);
    if (!race) {
      t.fail(`no race on ${word}`);
      continue;
    }
    const { findings } = replayFinding(result, race, false);
    t.ok(
      findings.some(({ kind, summary }) => kind === 'race' && summary === race.summary),
      race.summary,
    );
  }
});
