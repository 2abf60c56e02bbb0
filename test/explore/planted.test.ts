import t from 'tap';
import { runOne, runPlanted, scenarioNamed } from '../../src/explore/campaign.js';
import { designNamed } from '../../src/explore/designs.js';
import { PLANTS } from '../../src/explore/planted/index.js';
import { replayFinding } from '../../src/explore/replay-string.js';

t.setTimeout(600_000);

for (const plant of PLANTS) {
  t.test(`${plant.name}: ${plant.mistake}`, async (t) => {
    const scenario = scenarioNamed(plant.scenario);
    const right = designNamed(plant.locking);
    if (!scenario || !right) throw new Error(`${plant.name}: ${plant.scenario}, ${plant.locking}`);
    const clean = runOne(right, scenario, { mutex: 'blocking' });
    const isIt = ({ kind }: { kind: string }) => kind === plant.kind;
    t.notOk(clean.findings.some(isIt), `without it there is no ${plant.kind}`);
    const result = runPlanted(plant, scenario, { mutex: 'blocking', isEnough: isIt });
    const finding = result.findings.find(isIt);
    if (!finding) {
      t.fail(`no ${plant.kind}; ${result.findings.map(({ kind, summary }) => `${kind} ${summary}`).join('; ')}`);
      return;
    }
    let reproduced = 0;
    for (let round = 0; round < 10; round++) {
      const { findings } = replayFinding(result, finding, false);
      if (findings.some(({ kind, summary }) => kind === finding.kind && summary === finding.summary)) reproduced++;
    }
    t.equal(reproduced, 10, 'each replay finds it again');
  });
}
