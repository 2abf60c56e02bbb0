import t from 'tap';
import { designNamed, type NamedDesign, PRESETS } from '../../src/core/locking/presets.js';
import { classOfPreset, type ExploredVerdict, scopeText, storedVerdict } from '../../src/core/locking/verdicts.js';
import { QUOTING_PAGES, quotedIn, quotedValue, SENTENCES, withQuotes } from '../../src/docs/quotes.js';
import { runOne } from '../../src/lab/explore/campaign.js';
import { describeFinding } from '../../src/lab/explore/counterexample/counterexample.js';
import { QEMU_FUNCTIONS } from '../../src/lab/explore/counterexample/qemu-names.js';
import { type FindingKind, worstOf } from '../../src/lab/explore/finding.js';
import { readScenario } from '../../src/lab/explore/scenario-file.js';
import { addScenario, SCENARIO_GROUPS, scenarioNamed } from '../../src/lab/explore/scenarios.js';
import { textOf } from '../support/command-lines.js';
import { tier } from '../support/tier.js';

interface Result {
  readonly median: number;
  readonly low?: number;
  readonly high?: number;
  readonly unit: string;
  readonly command: string;
}

const page = textOf('docs/answer.md');
const mail = textOf('docs/answer.txt');
const results: { readonly [name: string]: Result } = JSON.parse(textOf('docs/results.json'));
const AT = 'at a BQL load of 50 %';
const HIGH = 'GSI 4 stays high although no timer asks for an interrupt';

function shown(name: string): [value: number, unit: string] {
  const { median, unit } = results[name];
  return [median, unit];
}

function numberOf(text: string): [value: number, unit: string] {
  const [value, unit] = text.split(' ');
  return [Number(value), unit];
}

t.test('the table of results is that of docs/results.json, and its verdicts those of the presets', async (t) => {
  const rows = [...page.matchAll(/^\| `([^`]+)` +\| (safe|stale|unsafe) +\| ([^|]+) +\| ([^|]+) +\| ([^|]+) +\|$/gm)];
  t.same(
    rows.map(([, design, verdict]) => [design, verdict]),
    Object.entries(PRESETS).map(([name]) => [name, classOfPreset(name)]),
  );
  for (const [, design, , ...figures] of rows) {
    const titles = ['counter read p99', 'MMIO p99', 'timer lateness p99'];
    for (const [index, title] of titles.entries()) {
      t.same(numberOf(figures[index].trim()), shown(`${design}: ${title} ${AT}`), `${design}: ${title}`);
    }
  }
});

t.test('every other figure is a result of a design, or a parameter of the measurement', async (t) => {
  const known = Object.entries(results).filter(([name]) => name.endsWith(AT));
  const figures = [...page.matchAll(/(\d+(?:\.\d+)?) (µs|ms|[kM]\/s)/g)];
  t.ok(figures.length > 40);
  for (const [name, { command }] of known) t.equal(command, 'npm run docs:comparison', name);
  // The length of a round.
  const rounds = known.map(([, { unit }]) => unit.replace(/^in \d+ rounds of /, ''));
  for (const [text, value, unit] of figures) {
    if (text === '500 µs' || rounds.includes(text)) continue;
    t.ok(
      known.some(([, result]) => result.median === Number(value) && result.unit === unit),
      text,
    );
  }
});

t.test('each sentence that quotes figures has those of docs/results.json', async (t) => {
  for (const sentence of SENTENCES) {
    const quoted = quotedIn(page, sentence);
    t.ok(quoted, `is there: ${sentence}`);
    for (const [name, value] of quoted ?? []) t.equal(value, quotedValue(name, results), name);
  }
});

/** How two designs compare in a figure: `=` if the intervals overlap. Both are in one unit. */
function compared(one: string, other: string, title: string): '<' | '=' | '>' {
  const [a, b] = [one, other].map((design) => results[`${design}: ${title} ${AT}`] as Required<Result>);
  t.equal(a.unit, b.unit, `${title}: ${one}, ${other}`);
  if (a.high < b.low) return '<';
  return b.high < a.low ? '>' : '=';
}

t.test('what the answer says about differences is what the intervals say', async (t) => {
  const TITLES = ['counter read p99', 'MMIO p99', 'timer lateness p99'];
  const same = [
    ['within the intervals, all figures are those of today', 'lockless-timer', 'legacy-race'],
    ['no figure of the two differs beyond the intervals', 'lockless-timer+irq', 'lockless-irq'],
  ];
  for (const [statement, one, other] of same) {
    t.ok(page.replace(/\s+/g, ' ').includes(statement), statement);
    for (const title of TITLES) t.equal(compared(one, other, title), '=', `${one}, ${other}: ${title}`);
  }
  t.match(page, /MMIO p99 falls from/);
  t.equal(compared('lockless-irq', 'legacy-race', 'MMIO p99'), '<');
});

t.test(
  'the scenario of the answer leaves a line high under deferred-irq, and under its safe form does not',
  async (t) => {
    const file = 'examples/designs/stuck-high.json';
    t.ok(page.includes(`--locking deferred-irq --scenario ${file} `));
    const scenario = readScenario(file);
    addScenario(scenario);
    const explored = (design: string) => runOne(designNamed(design) as NamedDesign, scenario, { mutex: 'blocking' });
    const result = explored('deferred-irq');
    t.ok(result.complete);
    const worst = worstOf(result.findings);
    t.equal(worst && describeFinding(result, worst).consequence.split(':')[0], HIGH);
    if (tier.allPresets) t.same(explored('deferred-revalidated').findings, []);
  },
);

t.test('figures of a new comparison replace those of the old one', async (t) => {
  const other = Object.fromEntries(
    Object.entries(results).map(([name, result], index) => [
      name,
      result.unit.startsWith('in ')
        ? { ...result, median: 1000 + index, unit: 'in 9 rounds of 800 ms' }
        : { ...result, median: 100 + index, unit: 'ns' },
    ]),
  );
  for (const name of QUOTING_PAGES) {
    const text = textOf(name);
    const replaced = withQuotes(text, other);
    t.not(replaced, text);
    t.equal(withQuotes(text, results), text, `${name}: the same figures change nothing`);
    t.equal(withQuotes(replaced, results).replace(/ +/g, ' '), text.replace(/ +/g, ' '), `${name}: and back`);
    const left = [...replaced.matchAll(/\d+(?:\.\d+)? (?:µs|ms)\b/g)].map(([figure]) => figure);
    t.same(
      left.filter((figure) => figure !== '500 µs' && figure !== '800 ms' && figure !== '100 ms'),
      [],
    );
  }
});

t.test('the answer says how many scenarios of each design are bounded', async (t) => {
  const numbers = ['no', 'one', 'two', 'three', 'four', 'five', 'six'];
  const [, most, other, exception] =
    /explored to its last interleaving, but for (\w+) \((\w+) with `([^`]+)`\)/.exec(page.replace(/\s+/g, ' ')) ?? [];
  for (const name of Object.keys(PRESETS)) {
    const [scenarios] = scopeText(storedVerdict(name) as ExploredVerdict).split(';');
    const bounded = [...scenarios.matchAll(/(\d+) up to/g)].reduce((sum, [, count]) => sum + Number(count), 0);
    t.equal(name === exception ? other : most, numbers[bounded], `${name}: ${scenarios}`);
  }
  t.match(page.replace(/\s+/g, ' '), "they concern the server's gateway and event rings");
  for (const [subject, all] of Object.entries(SCENARIO_GROUPS)) {
    if (subject !== 'Gateway and rings')
      t.same(
        all.filter(({ preemptions }) => preemptions !== undefined),
        [],
        subject,
      );
  }
});

t.test('answer.txt has 72 columns, no marks of Markdown and no links into the repository', async (t) => {
  t.same(
    mail.split('\n').filter((line) => [...line].length > 72),
    [],
  );
  t.notMatch(mail, /`|\]\(|\*\*|^\||answer\.txt/m);
  t.match(mail, /^\[1\] https:\/\/lore\.kernel\.org\//m);
  // The same facts: each figure and each function of QEMU.
  const facts = (text: string) =>
    text.replace(/\s+/g, ' ').match(/\b[\d.]+ (?:µs|ms)|\b[a-z0-9]+(?:_[a-z0-9]+)+\b/g) ?? [];
  t.same(facts(mail), facts(page));
});

/** The kind of the counterexample that each command shows; undefined for none. */
const SHOWN: { readonly [run: string]: FindingKind | undefined } = {
  'legacy-race × callback-acknowledge': 'race',
  'nested-mutex × callback-acknowledge': 'deadlock',
  'lockless-timer × generation-check': 'linearizability',
  'device/device/inline/naive × legacy-input': 'deadlock',
  'lockless-irq × xen-flag-assert': 'assertion',
  'lockless-irq × xen-flag': 'linearizability',
  'lockless-irq × xen-source-id': undefined,
  'deferred-irq × callback-acknowledge': 'linearizability',
};
/** The others take longer. */
const FAST = /^(nested-mutex|deferred-irq) /;

const blocks = [...page.matchAll(/```text\n([^`]*)```(.*?)```sh\n.*?--locking (\S+) --scenario (\S+) /gs)];
const runs = blocks.flatMap(([, block, , design, scenarios]) =>
  scenarios.split(',').map((scenario) => ({ block, design, scenario, name: `${design} × ${scenario}` })),
);

t.test('each counterexample of the answer is that of its command, in the functions of QEMU', async (t) => {
  t.same(
    runs.map(({ name }) => name),
    Object.keys(SHOWN),
  );
  const functions = new Set(Object.values(QEMU_FUNCTIONS).flatMap((own) => Object.values(own)));
  for (const { block, design, scenario, name } of runs) {
    for (const called of block.match(/\b(hpet|xen|gsi|qemu|update|defer|timerlist|main)_\w+/g) ?? []) {
      t.ok(functions.has(called), called);
    }
    if (!tier.allPresets && !FAST.test(name)) continue;
    const result = runOne(designNamed(design) as NamedDesign, scenarioNamed(scenario), { mutex: 'blocking' });
    const worst = worstOf(result.findings);
    t.ok(result.complete, `${name}: exhaustive`);
    t.equal(worst?.kind, SHOWN[name], name);
    if (!worst) continue;
    const { steps, threads } = describeFinding(result, worst);
    for (const [, thread, rest] of block.matchAll(/^(main|vCPU): (.*)$/gm)) {
      const index = threads.findIndex((each) => each.name.startsWith(thread));
      const path = new Set(steps.filter((step) => step.thread === index).flatMap(({ qemu }) => qemu));
      for (const called of rest.match(/\b[a-z]+(?:_[a-z]+)+\b/g) ?? [])
        t.ok(path.has(called), `${name}: ${thread}: ${called}`);
    }
  }
});
