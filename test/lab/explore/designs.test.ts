import { readFileSync } from 'node:fs';
import t from 'tap';
import { axesOf, PRESET_NAMES, PRESETS, type Verdict } from '../../../src/core/locking/presets.js';
import { classOf } from '../../../src/core/locking/verdicts.js';
import { designsPage } from '../../../src/docs/designs.js';
import { EXPECTATIONS } from '../../../src/lab/explore/expectations.js';
import { tier } from '../../support/tier.js';

const page = readFileSync('docs/designs.md', 'utf8');
const skip = tier.exploresAllDesigns ? false : 'explores every combination of the axes: only in the tiers ci and long';

t.test('docs/designs.md is current (npm run docs:designs)', { skip }, async (t) => {
  t.equal(page, designsPage());
  t.notMatch(page, /not explained/, 'every difference from the prediction is explained');
});

t.test('the class of each preset is its verdict in docs/designs.md', async (t) => {
  for (const name of PRESET_NAMES) {
    const { class: presetClass } = PRESETS[name];
    const axes = axesOf(PRESETS[name]);
    const row = page.split('\n').find((line) => line.startsWith(`| \`${axes}\` |`)) ?? '';
    const [, , , explored = ''] = row.split('|');
    const [verdict] = /safe|stale|race|deadlock/.exec(explored) ?? [];
    if (!verdict) {
      t.fail(`${name}: docs/designs.md has no row for ${axes}`);
      continue;
    }
    t.equal(presetClass, classOf(verdict as Verdict), name);
    const mayFail = EXPECTATIONS[name].allowed.some((kind) => kind !== 'atomicity');
    t.equal(mayFail, presetClass !== 'safe', `${name}: the expectations over all scenarios agree`);
  }
});
