import { PRESETS } from '../core/locking/presets.js';
import type { CampaignResult } from '../lab/explore/campaign.js';
import { drawColumns } from '../lab/explore/counterexample/columns.js';
import {
  type CounterexampleDocument,
  describeFinding,
  describeReplay,
} from '../lab/explore/counterexample/counterexample.js';
import { htmlOf } from '../lab/explore/counterexample/html.js';
import { mailOf } from '../lab/explore/counterexample/mail.js';
import { mermaidOf } from '../lab/explore/counterexample/mermaid.js';
import { type Counterexample, type Finding, faults, worstFirst, worstOf } from '../lab/explore/finding.js';
import type { Replayed } from '../lab/explore/replay.js';
import { type ReplayRequest, replayString } from '../lab/explore/replay-string.js';
import { paint, wrapped } from './terminal.js';

export const FORMATS = ['text', 'mail', 'mermaid', 'html', 'json'] as const;
export type Format = (typeof FORMATS)[number];

const COLOUR = { PASS: 'green', NOTE: 'yellow', FAIL: 'red' } as const;

/** `PASS`: no findings. `NOTE`: informative ones only. `FAIL`: at least one violated property. */
function verdictOf(findings: readonly Finding[]): keyof typeof COLOUR {
  if (faults(findings).length > 0) return 'FAIL';
  return findings.length > 0 ? 'NOTE' : 'PASS';
}

function kindsOf(findings: readonly Finding[]): string {
  return [...new Set(worstFirst(findings).map(({ kind }) => kind))].join(', ') || 'no findings';
}

/** `FAIL nested-mutex × callback-comparator, exhaustive: deadlock, lock-order`. */
function verdictLine(scope: string, extent: string, findings: readonly Finding[], colours: boolean): string {
  const verdict = verdictOf(findings);
  return `${colours ? paint(verdict, COLOUR[verdict]) : verdict} ${scope}, ${extent}: ${kindsOf(findings)}`;
}

function extentOf({ complete, preemptions }: CampaignResult): string {
  return complete ? 'exhaustive' : `bounded (${preemptions} preemption${preemptions === 1 ? '' : 's'})`;
}

function headOf(result: CampaignResult, colours = false): string {
  return verdictLine(`${result.locking} × ${result.scenario}`, extentOf(result), result.findings, colours);
}

function write(text: string): void {
  process.stdout.write(`${wrapped(text)}\n`);
}

/**
 * Reports one result in text. The first finding of each kind is the shortest; it is drawn. `again`: the command that
 * replays a finding, up to the replay string.
 */
export function printText(result: CampaignResult, again: string): void {
  const { states, transitions, seconds, findings, unexpected, secondPass } = result;
  const isExpected = faults(findings).length > 0 && unexpected.length === 0 && Object.hasOwn(PRESETS, result.locking);
  write(headOf(result, true));
  const expected = isExpected ? '; expected of this design in this scenario' : '';
  write(`  ${states} states, ${transitions} transitions, ${seconds} s${expected}`);
  if (secondPass) {
    const { words, preemptions, complete } = secondPass;
    const bound = `${preemptions} preemptions${complete ? '' : `, the first ${secondPass.states} states`}`;
    write(
      `  second pass, each access to ${words.join(', ')} a scheduling point: ${secondPass.states} states, ` +
        `${secondPass.transitions} transitions, bounded (${bound})`,
    );
  }
  const drawn = new Set<string>();
  for (const finding of worstFirst(findings)) {
    write(`  ${finding.kind}: ${finding.summary}`);
    const how = `${finding.kind} ${finding.points ? 'second pass' : ''}`;
    const document = drawn.has(how) ? undefined : describeFinding(result, finding);
    if (document) write(`    ${document.consequence}`);
    write(`    ${again} ${replayString(result, finding)}`);
    drawn.add(how);
    if (document) process.stdout.write(`${drawColumns(document).replace(/^/gm, '    ')}\n`);
  }
}

/** Reports one result as text for a mailing list. */
export function printMail(result: CampaignResult, again: string): void {
  const worst = worstOf(result.findings);
  if (worst) process.stdout.write(mailOf(mailHead(result), describeFinding(result, worst), again));
  else process.stdout.write(`${mailHead(result)}\n`);
}

function mailHead(result: CampaignResult): string {
  return `${headOf(result)}\n${result.states} states, ${result.transitions} transitions`;
}

/** Prints the worst finding of the first result that has one, as a diagram or page alone on standard output. */
export function printOne(results: readonly CampaignResult[], format: 'mermaid' | 'html', again: string): void {
  const result =
    results.find(({ findings }) => faults(findings).length > 0) ?? results.find(({ findings }) => findings[0]);
  for (const each of results)
    process.stderr.write(`${headOf(each)}${each === result ? ` (--format ${format})` : ''}\n`);
  const worst = worstOf(result?.findings ?? []);
  if (!result || !worst) return;
  printDocument(headOf(result), describeFinding(result, worst), format, again);
}

function printDocument(
  head: string,
  document: CounterexampleDocument,
  format: 'mermaid' | 'html' | 'mail',
  again: string,
): void {
  if (format === 'mermaid') process.stdout.write(mermaidOf(document));
  else {
    const mail = mailOf(head, document, again);
    process.stdout.write(format === 'mail' ? mail : htmlOf(head, document, mail, again));
  }
}

/** `seconds`: elapsed time of the whole run. */
export function printTotal(results: readonly CampaignResult[], seconds: number): void {
  const sum = (pick: (result: CampaignResult) => number) => results.reduce((total, result) => total + pick(result), 0);
  const transitions = sum((result) => result.transitions);
  const failed = results.filter((result) => result.unexpected.length > 0).length;
  const explorations = `${results.length} exploration${results.length === 1 ? '' : 's'}`;
  write(
    `${explorations}, ${sum((result) => result.states)} states, ${transitions} transitions, ` +
      `${seconds.toFixed(1)} s, ${Math.round(transitions / Math.max(seconds, 0.001))} transitions/s; ${failed} not as expected`,
  );
}

export function printJson(results: readonly CampaignResult[]): void {
  const document = results.map((result) => {
    const { locking, scenario, complete, preemptions, states, transitions, seconds } = result;
    const findings = result.findings.map((finding: Counterexample) => ({
      kind: finding.kind,
      summary: finding.summary,
      replay: replayString(result, finding),
      counterexample: describeFinding(result, finding),
    }));
    const { findings: found, ...second } = result.secondPass ?? { findings: [] };
    const secondPass = result.secondPass && { ...second, found: found.length };
    const verdict = verdictOf(result.findings);
    return { verdict, locking, scenario, complete, preemptions, states, transitions, seconds, findings, secondPass };
  });
  process.stdout.write(`${JSON.stringify({ results: document })}\n`);
}

/** Reports the replay of one schedule. */
export function printReplay(
  text: string,
  request: ReplayRequest,
  replayed: Replayed,
  format: Format,
  again: string,
): void {
  const { threads, findings, isAtEnd } = replayed;
  const document = describeReplay(text, request, replayed);
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify({ threads, findings, isAtEnd, counterexample: document })}\n`);
    return;
  }
  const scope = `${request.named.name} × ${request.scenario.name}`;
  const head = verdictLine(scope, 'one schedule', findings, format === 'text');
  if (format !== 'text') {
    if (document) printDocument(head, document, format, again);
    else process.stderr.write(`${head}\n`);
    return;
  }
  write(head);
  for (const finding of findings) process.stdout.write(`${finding.kind}: ${finding.summary}\n`);
  if (!document) return;
  write(document.consequence);
  process.stdout.write(`${drawColumns(document)}\n`);
}
