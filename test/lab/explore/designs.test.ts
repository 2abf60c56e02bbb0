import { readFileSync } from 'node:fs';
import t from 'tap';
import { allPresets, axesOf, PRESET_NAMES, PRESETS } from '../../../src/core/locking/presets.js';
import { classOfPreset, storedVerdict, verdictText } from '../../../src/core/locking/verdicts.js';
import { CLASSIFYING, designsPage } from '../../../src/docs/designs.js';
import { EVERY } from '../../../src/docs/verdicts.js';
import { runOne, verdictOn } from '../../../src/lab/explore/campaign.js';
import { EXPECTATIONS } from '../../../src/lab/explore/expectations.js';
import { boundOf } from '../../../src/lab/explore/explore.js';
import { scenarioOf } from '../../../src/lab/explore/programs/program.js';
import { PREPARED_NAMES, programsOf, selected } from '../../../src/lab/explore/programs/sweep.js';
import { SCENARIOS, scenarioNamed } from '../../../src/lab/explore/scenarios.js';
import { tier } from '../../support/tier.js';

const page = readFileSync('docs/designs.md', 'utf8');
const skip = tier.exploresEverySeededBug ? false : 'explores every combination of the axes: only in the long tier';

t.test('docs/designs.md is current (npm run docs:designs)', { skip }, async (t) => {
  t.equal(page, designsPage());
  t.notMatch(page, /not explained/, 'every difference from the prediction is explained');
});

t.test('the stored verdict on each preset is that of docs/designs.md, of both its tables', async (t) => {
  for (const name of PRESET_NAMES) {
    const stored = storedVerdict(name);
    const axes = axesOf(PRESETS[name]);
    t.ok(stored, `${name} is explored`);
    t.ok(page.includes(`| \`${name}\` | \`${axes}\` | ${classOfPreset(name)} | ${verdictText(stored)} |`), name);
    const row = page.split('\n').find((line) => line.startsWith(`| \`${axes}\` |`)) ?? '';
    const [, , , explored = ''] = row.split('|');
    const [verdict] = /safe|stale|race|deadlock/.exec(explored) ?? [];
    t.equal(verdict, stored?.verdict, `${name}: five scenarios suffice for the verdict`);
    const mayFail = EXPECTATIONS[name].allowed.some((kind) => kind !== 'atomicity');
    t.equal(mayFail, classOfPreset(name) !== 'safe', `${name}: the expectations over all scenarios agree`);
  }
});

t.test('stored verdicts cover scenarios and programs that exist, with the bounds that these have', async (t) => {
  const programs = programsOf({ designs: [], machines: PREPARED_NAMES }).flatMap((all) => selected(all, EVERY));
  for (const named of allPresets()) {
    const stored = storedVerdict(named.name);
    for (const [scenarios, extent, least] of [
      [SCENARIOS, stored?.scenarios, CLASSIFYING.length],
      [programs.map(scenarioOf), stored?.programs, 0],
    ] as const) {
      const bounds = scenarios.flatMap((scenario) => boundOf(scenario, named.design, {}) ?? []);
      const bounded = extent?.bounded.reduce((sum, { count }) => sum + count, 0) ?? 0;
      const explored = (extent?.complete ?? 0) + bounded;
      t.ok(explored >= least && explored <= scenarios.length, named.name);
      if (tier.exploresEverySeededBug) t.equal(explored, scenarios.length, `${named.name}: npm run docs:designs`);
      for (const { count, preemptions } of extent?.bounded ?? []) {
        const most = bounds.filter((bound) => bound === preemptions).length;
        t.ok(count <= most, `${named.name}: ${count} of ${most} end at ${preemptions} preemptions`);
      }
    }
  }
});

t.test('a stored verdict is the one that exploration computes', async (t) => {
  const presets = tier.exploresAllDesigns
    ? allPresets()
    : allPresets().filter(({ name }) => /^(nested|deferred)/.test(name));
  for (const named of presets) {
    const results = CLASSIFYING.map((scenario) =>
      runOne(named, scenarioNamed(scenario), { mutex: 'blocking', secondPass: false }),
    );
    t.equal(verdictOn(named, results).verdict, storedVerdict(named.name)?.verdict, named.name);
  }
});
