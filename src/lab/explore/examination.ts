import type { NamedDesign } from '../../core/locking/presets.js';
import { runOne } from './campaign.js';
import { describeFinding } from './counterexample/counterexample.js';
import { type Finding, faults, worstFirst } from './finding.js';
import { replayString } from './replay-string.js';
import { scenarioNamed } from './scenarios.js';

/** Explores a design in a scenario. The result is plain JSON; the worst finding of each kind has its counterexample. */
export function examine(named: NamedDesign, scenarioName: string) {
  const scenario = scenarioNamed(scenarioName);
  const result = runOne(named, scenario, { mutex: 'blocking' });
  const { complete, preemptions, states, transitions, seconds } = result;
  const extent = complete ? 'exhaustive' : `bounded (${preemptions} preemptions)`;
  const verdict = verdictOf(result.findings);
  const drawn = new Set<string>();
  return {
    design: named.name,
    scenario: scenarioName,
    description: scenario.description,
    verdict,
    extent,
    states,
    transitions,
    seconds,
    findings: worstFirst(result.findings).map((finding) => {
      const replay = replayString(result, finding);
      const { kind, summary } = finding;
      if (drawn.has(kind)) return { kind, summary, replay };
      drawn.add(kind);
      const counterexample = describeFinding(result, finding);
      return { kind, summary, replay, counterexample };
    }),
  };
}

function verdictOf(findings: readonly Finding[]): 'PASS' | 'NOTE' | 'FAIL' {
  if (faults(findings).length > 0) return 'FAIL';
  return findings.length > 0 ? 'NOTE' : 'PASS';
}
