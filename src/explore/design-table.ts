import { type CampaignResult, replayString } from './campaign.js';
import type { FindingKind } from './finding.js';

/** Worst first: what a design is called by. */
const KINDS: readonly FindingKind[] = [
  'race',
  'deadlock',
  'livelock',
  'assertion',
  'meaning',
  'stale',
  'order',
  'section',
];

/** Results as a Markdown table: one row per design, each kind of finding with its scenarios and one replay string. */
export function designTable(results: readonly CampaignResult[]): string {
  const lines = ['| design | explored | found | shortest way |', '| --- | --- | --- | --- |'];
  for (const name of new Set(results.map(({ locking }) => locking))) {
    const own = results.filter(({ locking }) => locking === name);
    const complete = own.filter((result) => result.complete).length;
    const explored = complete === own.length ? `${complete} scenarios` : `${complete} of ${own.length} completely`;
    const kinds = KINDS.filter((kind) => own.some(({ findings }) => findings.some((finding) => finding.kind === kind)));
    const found = kinds.map((kind) => {
      const count = own.filter(({ findings }) => findings.some((finding) => finding.kind === kind)).length;
      return `${kind} (${count})`;
    });
    lines.push(`| \`${name}\` | ${explored} | ${found.join(', ') || 'nothing'} | ${shortest(own, kinds[0])} |`);
  }
  return `${lines.join('\n')}\n`;
}

function shortest(results: readonly CampaignResult[], kind: FindingKind | undefined): string {
  const all = results.flatMap((result) =>
    result.findings.filter((finding) => finding.kind === kind).map((finding) => ({ result, finding })),
  );
  all.sort((one, other) => one.finding.path.length - other.finding.path.length);
  return all.length ? `${all[0].finding.summary}: \`${replayString(all[0].result, all[0].finding)}\`` : '';
}
