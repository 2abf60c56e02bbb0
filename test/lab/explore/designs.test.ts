import { readFileSync } from 'node:fs';
import t from 'tap';
import { designsPage } from '../../../src/docs/designs.js';
import { tier } from '../../support/tier.js';

const skip = tier.exploresAllDesigns ? false : 'explores every combination of the axes: only in the tiers ci and long';

t.test('docs/designs.md is current (npm run docs:designs)', { skip }, async (t) => {
  const page = designsPage();
  t.equal(readFileSync('docs/designs.md', 'utf8'), page);
  t.notMatch(page, /not explained/, 'where a design is other than was expected of it, that is explained');
});
