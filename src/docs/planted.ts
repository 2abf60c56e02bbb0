import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runPlanted, scenarioNamed } from '../lab/explore/campaign.js';
import { PLANTS } from '../lab/explore/planted/index.js';
import { CELL_STATES, legend, matrix } from '../lab/explore/planted/matrix.js';
import type { Plant } from '../lab/explore/planted/plant.js';
import { replayString } from '../lab/explore/replay-string.js';
import { SCENARIOS } from '../lab/explore/scenarios/index.js';

const PAGE = fileURLToPath(new URL('../../../docs/planted.md', import.meta.url));

/** The shortest way to a mistake, in the scenario that catches it for certain. */
function replayOf(plant: Plant): string {
  const scenario = scenarioNamed(plant.scenario);
  if (!scenario) throw new Error(`${plant.name}: there is no scenario ${plant.scenario}`);
  const isIt = ({ kind }: { kind: string }) => kind === plant.kind;
  const result = runPlanted(plant, scenario, { mutex: 'blocking', isEnough: isIt });
  const finding = result.findings.find(isIt);
  return finding ? replayString(result, finding) : 'not found';
}

/** The table of the mistakes alone, which is quick to make. */
export function plantedLegend(): string {
  return legend(PLANTS, replayOf);
}

/** `docs/planted.md`: explores every scenario with every mistake, which takes a minute. */
export function plantedPage(): string {
  return `# Planted mistakes

Made by \`npm run docs:planted\`. Each mistake is a line or two, planted in a test double of the seam or of a part of the
production code (\`src/lab/explore/planted/\`), in a design that is right without it. To see one, and to run its shortest
counterexample again:

    southbridge explore --plant callback-without-mutex --scenario callback-comparator
    southbridge explore --replay STRING

${plantedLegend()}
## Which scenario catches which

A cell is the first kind of finding that the right design does not have there; it is empty where the first
${CELL_STATES.toLocaleString('en')} states show none.

${matrix(PLANTS, SCENARIOS)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, plantedPage());
