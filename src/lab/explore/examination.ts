import type { CampaignResult } from './campaign.js';
import { describeFinding } from './counterexample/counterexample.js';
import { mailOf } from './counterexample/mail.js';
import { type Finding, faults, worstFirst } from './finding.js';
import { replayString } from './replay-string.js';
import { scenarioNamed } from './scenarios.js';

const AGAIN = 'npx southbridge explore --replay';

/** The result of one exploration as plain JSON; the worst finding of each kind has its counterexample. */
export function describeExamination(result: CampaignResult) {
  const { locking, scenario, complete, preemptions, states, transitions, seconds } = result;
  const extent = complete ? 'exhaustive' : `bounded (${preemptions} preemptions)`;
  const verdict = verdictOf(result.findings);
  const drawn = new Set<string>();
  return {
    design: locking,
    scenario,
    description: scenarioNamed(scenario).description,
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
      const head = `${verdict} ${locking} × ${scenario}, ${extent}: ${kind}`;
      return { kind, summary, replay, counterexample, mail: mailOf(head, counterexample, AGAIN) };
    }),
  };
}

function verdictOf(findings: readonly Finding[]): 'PASS' | 'NOTE' | 'FAIL' {
  if (faults(findings).length > 0) return 'FAIL';
  return findings.length > 0 ? 'NOTE' : 'PASS';
}
