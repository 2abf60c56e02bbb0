import type { CampaignResult } from './campaign.js';
import { expectedVerdict, explanation, verdictOf } from './design-classes.js';
import { designNamed } from './designs.js';
import { type FindingKind, KINDS } from './finding.js';
import { replayString } from './replay-string.js';

/** Results as a Markdown table: one row per design, what was expected and what was found, and the shortest way there. */
export function designTable(results: readonly CampaignResult[]): string {
  const lines = [
    '| design | expected | is | explored | found | shortest way |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  for (const name of new Set(results.map(({ locking }) => locking))) {
    const own = results.filter(({ locking }) => locking === name);
    const complete = own.filter((result) => result.complete).length;
    const explored = complete === own.length ? `${complete} scenarios` : `${complete} of ${own.length} completely`;
    const kinds = KINDS.filter((kind) => own.some(({ findings }) => findings.some((finding) => finding.kind === kind)));
    const found = kinds.map((kind) => {
      const count = own.filter(({ findings }) => findings.some((finding) => finding.kind === kind)).length;
      return `${kind} (${count})`;
    });
    const design = designNamed(name)?.design;
    const expected = (design && expectedVerdict(design)) ?? '–';
    const is = verdictOf(kinds);
    const cells = [
      `\`${name}\``,
      expected,
      expected === is || expected === '–' ? is : `**${is}**: ${(design && explanation(design)) ?? 'not explained'}`,
      explored,
      found.join(', ') || 'nothing',
      shortest(own, kinds[0]),
    ];
    lines.push(`| ${cells.join(' | ')} |`);
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
