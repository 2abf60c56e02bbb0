import t from 'tap';
import { PRESETS } from '../../src/core/locking/presets.js';
import {
  classOfPreset,
  type ExploredVerdict,
  type Extent,
  scopeText,
  storedVerdict,
} from '../../src/core/locking/verdicts.js';
import { textOf } from '../support/command-lines.js';

type Row = Readonly<Record<string, string>>;

/** The first table of a text, by column title, without code marks and intervals. */
function tableOf(text: string): Row[] {
  const start = text.indexOf('\n|') + 1;
  const [head, , ...rows] = text.slice(start, text.indexOf('\n\n', start)).split('\n').map(cellsOf);
  return rows.map((cells) => Object.fromEntries(head.map((title, index) => [title, cells[index]])));
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', '').replace(/ \[.*/, ''));
}

const readme = textOf('README.md');
const [, load] = /BQL load of (\d+) %/.exec(readme) ?? [];
const quoted = tableOf(readme.slice(readme.indexOf('## The question and the answer')));
const comparison = textOf('docs/comparison.md');
const [before, ...parts] = comparison.split(/^### (?=[^\n]*\n\n\|)/m);
const measured = tableOf(parts.find((part) => part.startsWith(`BQL load ${load} %`)) ?? '');

t.test('the results of the README are those of the full comparison', async (t) => {
  const figures = ['counter read p99', 'MMIO p99', 'timer lateness p99'];
  const pick = (rows: readonly Row[]) => rows.map((row) => ['design', ...figures].map((title) => row[title]));
  t.same(pick(quoted), pick(measured));
});

t.test('the results of the README are those of docs/results.json', async (t) => {
  const results: Record<string, { median: number; unit: string }> = JSON.parse(textOf('docs/results.json'));
  for (const { design, ...cells } of quoted) {
    for (const title of ['counter read p99', 'MMIO p99', 'timer lateness p99']) {
      const { median, unit } = results[`${design}: ${title} at a BQL load of ${load} %`];
      const [value, shown] = cells[title].split(' ');
      t.same([Number(value), shown], [median, unit], `${design}: ${title}`);
    }
  }
});

t.test('the verdicts of the README are the stored ones, and its scope that of the recommended design', async (t) => {
  t.same(
    quoted.map(({ design, verdict }) => [design, verdict]),
    Object.keys(PRESETS).map((name) => {
      const verdict = storedVerdict(name)?.verdict;
      const unsafe = classOfPreset(name) === 'unsafe' ? 'unsafe: ' : '';
      return [name, `${unsafe}${verdict}`];
    }),
  );
  const scope = shortScope(storedVerdict('deferred-revalidated') as ExploredVerdict);
  t.ok(readme.replace(/\s+/g, ' ').includes(`The scope of \`deferred-revalidated\`: ${scope}.`), scope);
  t.equal(quoted.length, new Set(quoted.map(({ design }) => design)).size);
});

/** The scope of a verdict, as the README words it: the bounded parts together. */
function shortScope({ scenarios, programs }: ExploredVerdict): string {
  const boundedOf = ({ bounded }: Extent) => bounded.reduce((sum, { count }) => sum + count, 0);
  const [some, all] = [boundedOf(scenarios), boundedOf(programs)];
  const bounds = [...scenarios.bounded, ...programs.bounded].map(({ preemptions }) => preemptions);
  if (programs.complete > 0 || bounds.some((bound) => bound > 2))
    return scopeText({ verdict: 'safe', scenarios, programs });
  const exhaustive = `${scenarios.complete} of ${scenarios.complete + some} scenarios exhaustively`;
  return `${exhaustive}, ${some} up to 1 or 2 preemptions; ${all} generated programs, all up to 1 or 2; sequentially consistent memory`;
}

t.test('the comparison shows the class of each preset, on every page and under every condition', async (t) => {
  const classes = Object.entries(PRESETS).map(([name]) => [name, classOfPreset(name)]);
  t.ok(before.includes('## All figures'), 'the tables stand last');
  t.ok(parts.length > 0);
  for (const part of parts) {
    // A star marks a row that is not judged.
    const rows = tableOf(part).map((row) => [row.design.replace(/\*$/, ''), row.class]);
    t.same(rows, classes, part.slice(0, part.indexOf('\n')));
  }
  const cells = textOf('docs/comparison.html').matchAll(
    /<th scope="row">([^<*]+)\*?<\/th><td class="(\w+)">(\w+)<\/td>/g,
  );
  const shown = [...cells].map(([, name, colour, word]) => [name, colour, word]);
  // The first table, then one table per condition.
  t.same(
    shown,
    ['overview', ...parts].flatMap(() => classes.map(([name, word]) => [name, word, word])),
  );
});

t.test('the conditions of option 1 are the same in the README, the answer and its text', async (t) => {
  const [own, answer, mail] = ['README.md', 'docs/answer.md', 'docs/answer.txt'].map(
    (page) => /(?:^\d\. .*\n(?: .*\n)*)+/m.exec(textOf(page))?.[0].replaceAll('`', '').replace(/\s+/g, ' ') ?? '',
  );
  t.equal(own.match(/\d\. /g)?.length, 5);
  t.equal(answer, own);
  t.equal(mail, own);
});

t.test('the comparison gives each preset the scope of its stored verdict', async (t) => {
  for (const page of [comparison, textOf('docs/comparison.html').replace(/<\/?code>/g, '`')]) {
    const scopes = [...page.matchAll(/(?:- |<li>)([^\n]*?): explored in ([^\n<]*)\.(?:\n|<)/g)].flatMap(
      ([, names, scope]) => [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => [name, scope]),
    );
    const stored = Object.keys(PRESETS).map((name) => [name, scopeText(storedVerdict(name) as ExploredVerdict)]);
    t.same(new Map(scopes as [string, string][]), new Map(stored as [string, string][]));
  }
});

t.test('the README has at most 150 lines', async (t) => {
  t.ok(readme.trimEnd().split('\n').length <= 150);
});
