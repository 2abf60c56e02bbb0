import { runPlanted } from '../campaign.js';
import { isAllowed } from '../expectations.js';
import type { FindingKind } from '../finding.js';
import type { Scenario } from '../scenario.js';
import type { Plant } from './plant.js';

/** States of one cell: the shortest way to a mistake is short. */
export const CELL_STATES = 10_000;

/** As what a scenario catches a mistake: the first kind of finding that the right design has not; undefined if it does not. */
export function caughtAs(plant: Plant, scenario: Scenario): FindingKind | undefined {
  const isNew = ({ kind }: { kind: FindingKind }) => !isAllowed(plant.locking, scenario.name, kind);
  const { findings } = runPlanted(plant, scenario, { mutex: 'blocking', maxStates: CELL_STATES, isEnough: isNew });
  return findings.find(isNew)?.kind;
}

/** Mistakes by scenarios as a Markdown table. */
export function matrix(plants: readonly Plant[], scenarios: readonly Scenario[]): string {
  const lines = [
    `| scenario | ${plants.map((_, i) => i + 1).join(' | ')} | caught |`,
    `| --- | ${plants.map(() => '---').join(' | ')} | --- |`,
    ...matrixRows(plants, scenarios),
  ];
  return `${lines.join('\n')}\n`;
}

export function matrixRows(plants: readonly Plant[], scenarios: readonly Scenario[]): string[] {
  return scenarios.map((scenario) => {
    const cells = plants.map((plant) => caughtAs(plant, scenario) ?? '');
    return `| ${[scenario.name, ...cells, cells.filter(Boolean).length].join(' | ')} |`;
  });
}

/** The mistakes with their numbers, where they are planted, and the string that replays the shortest way to each. */
export function legend(plants: readonly Plant[], replayOf: (plant: Plant) => string): string {
  const lines = ['| | mistake | planted in | as | replay |', '| --- | --- | --- | --- | --- |'];
  for (const [i, plant] of plants.entries()) {
    const { name, mistake, locking, scenario, kind } = plant;
    lines.push(`| ${i + 1} | \`${name}\`: ${mistake} | ${locking} × ${scenario} | ${kind} | \`${replayOf(plant)}\` |`);
  }
  return `${lines.join('\n')}\n`;
}
