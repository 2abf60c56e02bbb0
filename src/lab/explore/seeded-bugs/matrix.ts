import { runSeededBug } from '../campaign.js';
import { isAllowed } from '../expectations.js';
import type { FindingKind } from '../finding.js';
import type { Scenario } from '../scenario.js';
import type { SeededBug } from './seeded-bug.js';

/** Most states of one cell: the shortest counterexample of a seeded bug is short. */
export const CELL_STATES = 10_000;

/**
 * The first kind of finding in a scenario that the design without the bug does not have; undefined if there is none.
 */
export function foundAs(bug: SeededBug, scenario: Scenario): FindingKind | undefined {
  const isNew = ({ kind }: { kind: FindingKind }) => !isAllowed(bug.locking, scenario.name, kind);
  const { findings } = runSeededBug(bug, scenario, { mutex: 'blocking', maxStates: CELL_STATES, isEnough: isNew });
  return findings.find(isNew)?.kind;
}

/** Seeded bugs by scenarios, as a Markdown table. */
export function matrix(bugs: readonly SeededBug[], scenarios: readonly Scenario[]): string {
  const lines = [
    `| scenario | ${bugs.map((_, i) => i + 1).join(' | ')} | bugs found |`,
    `| --- | ${bugs.map(() => '---').join(' | ')} | --- |`,
    ...matrixRows(bugs, scenarios),
  ];
  return `${lines.join('\n')}\n`;
}

export function matrixRows(bugs: readonly SeededBug[], scenarios: readonly Scenario[]): string[] {
  return scenarios.map((scenario) => {
    const cells = bugs.map((bug) => foundAs(bug, scenario) ?? '');
    return `| ${[scenario.name, ...cells, cells.filter(Boolean).length].join(' | ')} |`;
  });
}

/** The seeded bugs by number, each with its design, scenario and the replay string of its shortest counterexample. */
export function legend(bugs: readonly SeededBug[], replayOf: (bug: SeededBug) => string): string {
  const lines = ['| | seeded bug | design × scenario | finding | replay |', '| --- | --- | --- | --- | --- |'];
  for (const [i, bug] of bugs.entries()) {
    const { name, description, locking, scenario, kind } = bug;
    lines.push(
      `| ${i + 1} | \`${name}\`: ${description} | ${locking} × ${scenario} | ${kind} | \`${replayOf(bug)}\` |`,
    );
  }
  return `${lines.join('\n')}\n`;
}
