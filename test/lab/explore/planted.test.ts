import { readFileSync } from 'node:fs';
import t from 'tap';
import { plantedPage } from '../../../src/docs/planted.js';
import { runOne, runPlanted, scenarioNamed } from '../../../src/lab/explore/campaign.js';
import { designNamed } from '../../../src/lab/explore/designs.js';
import type { FindingKind } from '../../../src/lab/explore/finding.js';
import { PLANTS } from '../../../src/lab/explore/planted/index.js';
import { matrixRows } from '../../../src/lab/explore/planted/matrix.js';
import { replayFinding, replayString } from '../../../src/lab/explore/replay-string.js';
import { SCENARIOS } from '../../../src/lab/explore/scenarios/index.js';
import { tier } from '../../support/tier.js';

t.setTimeout(1_200_000);

const page = readFileSync('docs/planted.md', 'utf8');

for (const plant of PLANTS.filter((_, number) => number % tier.exploreStride === 0)) {
  t.test(`${plant.name}: ${plant.mistake}`, async (t) => {
    const scenario = scenarioNamed(plant.scenario);
    const right = designNamed(plant.locking);
    if (!scenario || !right) throw new Error(`${plant.name}: ${plant.scenario}, ${plant.locking}`);
    const isIt = ({ kind }: { kind: FindingKind }) => kind === plant.kind;
    const clean = runOne(right, scenario, { mutex: 'blocking' });
    t.notOk(clean.findings.some(isIt), `without it there is no ${plant.kind}`);
    const result = runPlanted(plant, scenario, { mutex: 'blocking', isEnough: isIt });
    const finding = result.findings.find(isIt);
    if (!finding) {
      t.fail(`no ${plant.kind}; ${result.findings.map(({ kind, summary }) => `${kind} ${summary}`).join('; ')}`);
      return;
    }
    t.ok(page.includes(`\`${replayString(result, finding)}\``), 'docs/planted.md is current (npm run docs:planted)');
    let reproduced = 0;
    for (let round = 0; round < 10; round++) {
      const { findings } = replayFinding(result, finding, false);
      if (findings.some(({ kind, summary }) => kind === finding.kind && summary === finding.summary)) reproduced++;
    }
    t.equal(reproduced, 10, 'each replay finds it again');
  });
}

t.test('every scenario catches a mistake, by docs/planted.md', async (t) => {
  for (const { name } of SCENARIOS) {
    const [, caught = '0'] = new RegExp(`^\\| ${name} \\|.*\\| (\\d+) \\|$`, 'm').exec(page) ?? [];
    t.ok(Number(caught) > 0, name);
  }
});

/** Small scenarios; the whole page takes the long tier. */
const SAMPLE = ['callback-acknowledge', 'line-eoi', 'extint-pic', 'shared-line', 'xen-source-id'];

t.test(
  'docs/planted.md is current',
  { skip: !tier.exploresAllDesigns && 'only in the tiers ci and long' },
  async (t) => {
    if (tier.exploresEveryMistake) {
      t.equal(page, plantedPage());
      return;
    }
    for (const row of matrixRows(
      PLANTS,
      SCENARIOS.filter(({ name }) => SAMPLE.includes(name)),
    )) {
      t.ok(page.includes(row), row);
    }
  },
);
