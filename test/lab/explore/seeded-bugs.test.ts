import { readFileSync } from 'node:fs';
import t from 'tap';
import { designNamed } from '../../../src/core/locking/presets.js';
import { seededBugsPage } from '../../../src/docs/seeded-bugs.js';
import { runOne, runSeededBug } from '../../../src/lab/explore/campaign.js';
import type { FindingKind } from '../../../src/lab/explore/finding.js';
import { replayFinding, replayString } from '../../../src/lab/explore/replay-string.js';
import { SCENARIOS, scenarioNamed } from '../../../src/lab/explore/scenarios.js';
import { matrixRows } from '../../../src/lab/explore/seeded-bugs/matrix.js';
import { SEEDED_BUGS } from '../../../src/lab/explore/seeded-bugs.js';
import { tier } from '../../support/tier.js';

t.setTimeout(1_200_000);

const page = readFileSync('docs/seeded-bugs.md', 'utf8');

for (const bug of SEEDED_BUGS.filter((_, number) => number % tier.exploreStride === 0)) {
  t.test(`${bug.name}: ${bug.description}`, async (t) => {
    const scenario = scenarioNamed(bug.scenario);
    const right = designNamed(bug.locking);
    if (!right) throw new Error(`${bug.name}: there is no design ${bug.locking}`);
    const isIt = ({ kind }: { kind: FindingKind }) => kind === bug.kind;
    const clean = runOne(right, scenario, { mutex: 'blocking' });
    t.notOk(clean.findings.some(isIt), `without the bug there is no ${bug.kind}`);
    const result = runSeededBug(bug, scenario, { mutex: 'blocking', isEnough: isIt });
    const finding = result.findings.find(isIt);
    if (!finding) {
      t.fail(`no ${bug.kind}; ${result.findings.map(({ kind, summary }) => `${kind} ${summary}`).join('; ')}`);
      return;
    }
    t.ok(
      page.includes(`\`${replayString(result, finding)}\``),
      'docs/seeded-bugs.md is current (npm run docs:seeded-bugs)',
    );
    let reproduced = 0;
    for (let round = 0; round < 10; round++) {
      const { findings } = replayFinding(result, finding, false);
      if (findings.some(({ kind, summary }) => kind === finding.kind && summary === finding.summary)) reproduced++;
    }
    t.equal(reproduced, 10, 'each replay finds it again');
  });
}

t.test('every scenario finds a seeded bug, by docs/seeded-bugs.md', async (t) => {
  for (const { name } of SCENARIOS) {
    const [, found = '0'] = new RegExp(`^\\| ${name} \\|.*\\| (\\d+) \\|$`, 'm').exec(page) ?? [];
    t.ok(Number(found) > 0, name);
  }
});

/** Small scenarios; only the long tier checks the whole page. */
const SAMPLE = ['callback-acknowledge', 'line-eoi', 'extint-pic', 'shared-line', 'xen-source-id'];

t.test(
  'docs/seeded-bugs.md is current',
  { skip: !tier.exploresAllDesigns && 'only in the tiers ci and long' },
  async (t) => {
    if (tier.exploresEverySeededBug) {
      t.equal(page, seededBugsPage());
      return;
    }
    for (const row of matrixRows(
      SEEDED_BUGS,
      SCENARIOS.filter(({ name }) => SAMPLE.includes(name)),
    )) {
      t.ok(page.includes(row), row);
    }
  },
);
