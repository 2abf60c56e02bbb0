import { designNamed, explanation, predictedVerdict } from '../../core/locking/presets.js';
import type { CampaignResult } from './campaign.js';
import { type FindingKind, KINDS, verdictOf } from './finding.js';
import { replayString } from './replay-string.js';

/**
 * Results as a Markdown table: per design, the predicted and explored verdict, findings and shortest counterexample.
 */
export function markdownTable(results: readonly CampaignResult[]): string {
  const lines = [
    '| design | predicted | explored | scope | findings | shortest counterexample |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  for (const name of new Set(results.map(({ locking }) => locking))) {
    const own = results.filter(({ locking }) => locking === name);
    const complete = own.filter((result) => result.complete).length;
    const scope = complete === own.length ? `${complete} scenarios` : `${complete} of ${own.length} completely`;
    const kinds = KINDS.filter((kind) => own.some(({ findings }) => findings.some((finding) => finding.kind === kind)));
    const found = kinds.map((kind) => {
      const count = own.filter(({ findings }) => findings.some((finding) => finding.kind === kind)).length;
      return `${kind} (${count})`;
    });
    const design = designNamed(name)?.design;
    const predicted = (design && predictedVerdict(design)) ?? '–';
    const explored = verdictOf(kinds);
    const cells = [
      `\`${name}\``,
      predicted,
      predicted === explored || predicted === '–'
        ? explored
        : `**${explored}**: ${(design && explanation(design)) ?? 'not explained'}`,
      scope,
      found.join(', ') || 'none',
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
