import t from 'tap';
import type { PresetName } from '../../../src/core/locking/presets.js';
import { cellOf } from '../../../src/lab/compare/comparison.js';
import { type Condition, conditionsOf } from '../../../src/lab/compare/condition.js';
import { type Comparison, FIGURE_NAMES, FIGURES, HAZARDS, type Measurement } from '../../../src/lab/compare/figures.js';
import { formatValue } from '../../../src/lab/compare/format.js';
import { toHtml } from '../../../src/lab/compare/html.js';
import { toMarkdown } from '../../../src/lab/compare/markdown.js';
import { claims, contradictions, JUDGED } from '../../../src/lab/compare/ranking.js';
import { differ, summary } from '../../../src/lab/compare/summary.js';
import { verdict } from '../../../src/lab/compare/verdict.js';

/** Seven rounds in which every figure was this, give or take. */
function rounds(value: number, spread: number, hazards: Partial<Measurement['hazards']> = {}): Measurement[] {
  return Array.from({ length: 7 }, (_, i) => ({
    figures: Object.fromEntries(FIGURE_NAMES.map((name) => [name, value + (i - 3) * spread])) as Measurement['figures'],
    hazards: { ...(Object.fromEntries(HAZARDS.map((name) => [name, 0])) as Measurement['hazards']), ...hazards },
  }));
}

type Designs = { [locking in PresetName]?: Measurement[] };

const BASE = 'BQL load 50 %';

/** Of the base point, and of other conditions that `others` names, with the figures of each. */
function comparison(designs: Designs, others: readonly (readonly [Condition, Designs])[] = []): Comparison {
  const [base] = conditionsOf({});
  const all = [[base, designs] as const, ...others];
  return {
    machine: { cpu: 'a cpu', cores: 2, node: 'v20', platform: 'linux x64' },
    date: '2026-01-01T00:00:00.000Z',
    seed: 1,
    rounds: 7,
    partMs: 1,
    conditions: all.map(([condition]) => condition),
    cells: all.flatMap(([{ name }, designs]) =>
      Object.entries(designs).map(([locking, measured]) => cellOf(locking, name, measured)),
    ),
  };
}

t.test('intervals', async (t) => {
  t.same(summary([3, 1, 2]), { median: 2, low: 1, high: 3 }, 'of a few values, their extremes');
  t.same(summary([7, 6, 5, 4, 3, 2, 1]), { median: 4, low: 1, high: 7 }, 'of seven, 98 % lie between the extremes');
  t.same(summary([1, 2, 3, 4, 5, 6, 7, 8, 9]), { median: 5, low: 2, high: 8 }, 'of nine, 96 % within the second ones');
  t.equal(differ(summary([1, 2, 3]), summary([3, 4, 5])), false, 'they touch');
  t.equal(differ(summary([1, 2, 3]), summary([4, 5, 6])), true);
});

t.test('nothing is claimed of intervals that overlap, nor of few rounds', async (t) => {
  const close = comparison({ bql: rounds(100, 10), 'lockless-timer': rounds(120, 10) });
  t.same(claims(close.cells, 'readP99', BASE), []);
  t.match(verdict(close).cost.join(' '), /no difference between the safe designs can be claimed/);
  t.match(verdict(close).conclusion.join(' '), /take the smallest change/);
  const few = comparison({ bql: rounds(100, 1).slice(2), 'lockless-timer': rounds(900, 1).slice(2) });
  t.same(claims(few.cells, 'readP99', BASE), []);
});

t.test('what is apart is claimed, in the direction that the figure has', async (t) => {
  const apart = comparison({ bql: rounds(900, 1), 'lockless-timer': rounds(100, 1) });
  t.match(claims(apart.cells, 'readP99', BASE), [{ better: 'lockless-timer', worse: 'bql', factor: 9 }]);
  t.match(claims(apart.cells, 'accesses', BASE), [{ better: 'bql', worse: 'lockless-timer', factor: 9 }]);
});

t.test('a judged latency runs from the intended start, or from a deadline', async (t) => {
  for (const figure of JUDGED.filter((name) => FIGURES[name].unit === 'ns')) {
    t.match(FIGURES[figure].meaning, /intended start|deadline/, figure);
  }
  const alike = rounds(100, 0);
  const read = comparison({ bql: differing(alike, { readP99: 900 }), 'lockless-timer': alike });
  t.match(verdict(read).cost.join(' '), /no difference/, 'the duration of a read alone decides nothing');
  const response = comparison({ bql: differing(alike, { readResponseP99: 900 }), 'lockless-timer': alike });
  t.match(verdict(response).cost.join(' '), /`bql` \(900 ns, by 9\.0 ×\)/);
});

t.test('an unsafe design is never recommended, however fast', async (t) => {
  const fast = comparison({
    'legacy-race': rounds(1, 0),
    'nested-mutex': rounds(2, 0, { deadlocks: 3 }),
    'lockless-timer': rounds(100, 1),
    bql: rounds(900, 1),
  });
  const { conclusion, correctness, cost } = verdict(fast);
  t.notMatch(conclusion.join(' '), /legacy-race|nested-mutex/);
  t.match(conclusion[0], /than `lockless-timer`, `bql`\.$/, 'each is better in some figure');
  t.match(conclusion[1], /smallest change among these: `bql`: none/);
  t.notMatch(cost.join(' '), /legacy-race/);
  t.match(correctness.join(' '), /`legacy-race`, `nested-mutex`: unsafe/);
  t.match(correctness.join(' '), /Seen under `nested-mutex` at a BQL load of 50 %: 21 deadlocks \(broken\)\./);
  t.match(verdict(comparison({ 'legacy-race': rounds(1, 0) })).conclusion, [/none can be recommended/]);
});

/** `base`, with other figures in part. */
function differing(base: Measurement[], figures: Partial<Measurement['figures']>): Measurement[] {
  return base.map((round) => ({ ...round, figures: { ...round.figures, ...figures } }));
}

t.test('the verdict names the undominated designs, and prefers the smaller change among equals', async (t) => {
  const slow = differing(rounds(900, 0), { accesses: 10 });
  const fast = differing(rounds(100, 0), { accesses: 90 });
  const mixed = differing(rounds(100, 0), { accesses: 90, mmioP99: 800 });
  const { conclusion } = verdict(
    comparison({ bql: slow, 'lockless-timer': mixed, 'lockless-irq': fast, 'lockless-timer+irq': fast }),
  );
  t.match(conclusion[0], /than `lockless-irq`, `lockless-timer\+irq`\.$/);
  t.match(conclusion[1], /^The smallest change among these: `lockless-irq`: large/);
  t.notMatch(conclusion[1], /`lockless-timer\+irq`: /);
  const smaller = conclusion.slice(2).join('\n');
  t.match(smaller, /^A smaller change: `lockless-timer`: small.* It gives up MMIO p99 \(8\.0 ×\)\.$/m);
  t.match(smaller, /^A smaller change: `bql`: none/m);
  t.notMatch(conclusion.join(' '), /\b(won|lost|wins|leads?)\b/);
});

t.test('a latency of the order of a hold says that its ratio follows the hold', async (t) => {
  const held = comparison({ bql: rounds(600_000, 1), 'lockless-irq': rounds(2000, 1) });
  const sentences = verdict(held).cost.filter((sentence) => /MMIO p99/.test(sentence));
  t.match(sentences, [/depend on the length of a hold \(500 µs\)/]);
  const conditions = conditionsOf({ load: [0] });
  const unloaded = {
    ...held,
    conditions,
    cells: held.cells.map((cell) => ({ ...cell, condition: conditions[0].name })),
  };
  t.notMatch(verdict(unloaded).cost.join(' '), /length of a hold/);
});

t.test('holds of several lengths show how each ratio follows the length', async (t) => {
  const holds = conditionsOf({
    holds: [
      { holder: 'vcpus', ns: 50_000 },
      { holder: 'background', ns: 500_000 },
      { holder: 'vcpus', ns: 5_000 },
    ],
  }).filter(({ factor }) => factor === 'holds');
  const fast = rounds(2000, 0);
  const measured = comparison(
    { bql: rounds(600_000, 0), 'lockless-irq': fast },
    holds.map((condition) => [condition, { bql: rounds(condition.holds.ns, 0), 'lockless-irq': fast }] as const),
  );
  const text = verdict(measured).carriesOver.join('\n');
  t.match(
    text,
    /^MMIO p99, the worst safe design over the best, with holds by vCPUs: 2\.5 × at 5 µs, 25 × at 50 µs\.$/m,
  );
  t.notMatch(text, /holds by a background thread/, 'of which there is one length');
});

t.test('a condition with more runnable threads than cores is marked and never judged', async (t) => {
  const apart = { bql: rounds(900, 1), 'lockless-timer': rounds(100, 1) };
  const opposite = { bql: rounds(100, 1), 'lockless-timer': rounds(900, 1) };
  const [, three] = conditionsOf({ vcpus: [2, 3] });
  const [, burning] = conditionsOf({
    holds: [
      { holder: 'background', ns: 500_000 },
      { holder: 'background', ns: 5000 },
    ],
  });
  const some = comparison(apart, [
    [three, opposite],
    [burning, opposite],
  ]);
  t.match(verdict(some).cost.at(-1), /^Not judged, and marked \*: 3 vCPUs \(3 threads\), holds of 5 µs by a/);
  t.match(verdict(some).cost.at(-1), /share 2 cores/);
  t.same(verdict(some).cost.slice(0, -1), verdict(comparison(apart)).cost, 'they add no claim');
  t.same(verdict(some).conclusion, verdict(comparison(apart)).conclusion);
  t.same(contradictions(some, comparison(apart, [[three, apart]]), JUDGED), []);
  for (const page of [toMarkdown(some), toHtml(some)]) t.equal(page.match(/bql`?\*/g)?.length, 2);

  const all = comparison({});
  const crowded = { ...comparison(apart), machine: { ...all.machine, cores: 1 } };
  t.match(verdict(crowded).cost, [/^No row is judged: BQL load 50 % \(2 threads\)\. .* share 1 core there/]);
  t.notMatch(verdict(crowded).conclusion.join(' '), / × |gives up/);
  for (const page of [toMarkdown(crowded), toHtml(crowded)])
    t.match(page, /more runnable threads than cores: not judged/);
  t.notMatch(toMarkdown(comparison(apart)), /`\*/);
});

t.test('the conclusion is that of the base point, and names the sets of other conditions', async (t) => {
  const [, ticket] = conditionsOf({ mutex: ['barging', 'ticket'] });
  const [, storm] = conditionsOf({ workload: ['guest', 'counter-storm'] });
  const slow = differing(rounds(900, 0), { accesses: 10 });
  const fast = differing(rounds(100, 0), { accesses: 90 });
  const { conclusion } = verdict(
    comparison({ bql: slow, 'lockless-irq': fast }, [
      [ticket, { bql: slow, 'lockless-irq': fast }],
      [storm, { bql: fast, 'lockless-irq': slow }],
    ]),
  );
  t.match(conclusion[0], /^At a BQL load of 50 %, .* than `lockless-irq`\.$/);
  t.match(
    conclusion,
    ['', '', '', 'The same holds with ticket locks.', 'Undominated in a counter read storm: `bql`.'].map(
      (text) => new RegExp(text.replaceAll('.', '\\.')),
    ),
  );
});

t.test('a page begins with one table whose columns are explained, then charts, then text', async (t) => {
  const two = comparison({ bql: rounds(900, 1), 'lockless-timer': rounds(100, 1) });
  const page = toMarkdown(two, [{ title: 'a chart', file: 'a.svg' }]);
  const order = ['| design |', '**counter read p99**: ', '## Charts', '## Verdict', '## All figures'];
  const places = order.map((part) => page.indexOf(part));
  t.same(
    places,
    [...places].sort((one, other) => one - other),
  );
  for (const head of page.matchAll(/^\| design \|(.*)\|$/gm)) {
    for (const title of head[1].split('|').map((cell) => cell.trim())) {
      if (title !== 'class') t.ok(page.includes(`**${title}**: `), title);
    }
  }
  const html = toHtml(two);
  t.ok(html.indexOf('<table>') < html.indexOf('<h2>Charts'));
  t.ok(html.indexOf('<h2>Charts') < html.indexOf('<h2>Verdict'));
});

t.test('two runs contradict each other where they claim the opposite', async (t) => {
  const one = comparison({ bql: rounds(900, 1), 'lockless-timer': rounds(100, 1) });
  const same = comparison({ bql: rounds(700, 1), 'lockless-timer': rounds(200, 1) });
  const unsure = comparison({ bql: rounds(100, 90), 'lockless-timer': rounds(200, 90) });
  const opposite = comparison({ bql: rounds(100, 1), 'lockless-timer': rounds(900, 1) });
  t.same(contradictions(one, same, JUDGED), []);
  t.same(contradictions(one, unsure, JUDGED), []);
  t.equal(contradictions(one, opposite, JUDGED).length, JUDGED.length);
});

t.test('durations have three digits at most and no exponent, next to each unit too', async (t) => {
  const wrong: string[] = [];
  for (let value = 1; value < 9e11; value = Math.ceil(value * 1.0007)) {
    const text = formatValue('readP99', value);
    if (!/^\d(\.\d\d|\d(\.\d)?|\d\d?)? (ns|µs|ms|s)$/.test(text)) wrong.push(text);
  }
  t.strictSame(wrong, []);
});
