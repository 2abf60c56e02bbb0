/** Pages whose text quotes figures of the comparison. `docs/answer.txt` is made from the second. */
export const QUOTING_PAGES = ['README.md', 'docs/answer.md'] as const;

/** A result as pages quote it. */
export interface QuotedResult {
  readonly median: number | null;
  readonly unit: string;
}

export type QuotedResults = { readonly [name: string]: QuotedResult };

/** Columns of the tables with a row per design. */
const COLUMNS = ['counter read p99', 'MMIO p99', 'timer lateness p99'] as const;

/**
 * Sentences with figures: `{design: title}`, and `{runs: design: hazard}` for the rounds in which a hazard was counted.
 * Line breaks and the marks of Markdown do not matter.
 */
export const SENTENCES: readonly string[] = [
  'counter read in 100 takes more than {legacy-race: counter read p99}; under bql it is {bql: counter read p99}',
  'Figure: {nested-mutex: deadlocks} deadlocks {runs: nested-mutex: deadlocks}, each broken',
  'a counter read takes {lockless-timer: counter read p99} ({legacy-race: counter read p99} today), any access {lockless-timer: MMIO p99} ({legacy-race: MMIO p99}; these',
  'timers are late by {lockless-timer: timer lateness p99} ({legacy-race: timer lateness p99}).',
  'MMIO p99 falls from {legacy-race: MMIO p99} today to {lockless-irq: MMIO p99}',
  'it is {lockless-timer+irq: MMIO p99}, and no figure of the two',
  'Figure: {deferred-irq: inverted} line changes applied after a newer one {runs: deferred-irq: inverted}, and {deferred-irq: late} late ones,',
  'Its MMIO p99 is {deferred-revalidated: MMIO p99}',
  'drop-reacquire | the list, 2025 | small | MMIO p99 {drop-reacquire: MMIO p99}',
  'lockless-timer+irq | options 1 + 2, bhyve | largest | MMIO p99 {lockless-timer+irq: MMIO p99}',
  'kick-and-drain | Xen | large | late p99 {kick-and-drain: timer lateness p99}',
  'try-queue | crosvm | large | MMIO p99 {try-queue: MMIO p99}',
];

const DURATION = '[\\d.]+ (?:ns|µs|ms|s)';
/** A count, or the rounds of a measurement. */
const COUNT = '\\d+|in\\s+\\d+\\s+rounds\\s+of\\s+\\d+\\s+ms';

/** The text with the figures of these results in its tables of designs and its sentences. */
export function withQuotes(text: string, results: QuotedResults): string {
  return SENTENCES.reduce((page, sentence) => withSentence(page, sentence, results), withTables(text, results));
}

/** The values of a sentence where it occurs in a text, by placeholder; undefined where it does not. */
export function quotedIn(text: string, sentence: string): Map<string, string> | undefined {
  const { pattern, names } = patternOf(sentence);
  const found = pattern.exec(text);
  return found ? new Map(names.map((name, index) => [name, found[2 * index + 2].replace(/\s+/g, ' ')])) : undefined;
}

export function quotedValue(placeholder: string, results: QuotedResults): string {
  const [, design, title] = /^(?:runs: )?([^:]+): (.*)$/.exec(placeholder) ?? [];
  const result = results[`${design}: ${title} at a BQL load of 50 %`];
  if (!result) throw new Error(`docs/results.json has no ${title} of ${design}`);
  if (placeholder.startsWith('runs: ')) return result.unit;
  if (result.unit.startsWith('in ')) return String(result.median);
  // The file has numbers, which lose the zeros at their end.
  const digits = result.unit === 'ns' ? String(result.median) : Number(result.median).toPrecision(3);
  return `${digits} ${result.unit}`;
}

function withSentence(text: string, sentence: string, results: QuotedResults): string {
  const { pattern, names } = patternOf(sentence);
  return text.replace(pattern, (...found: string[]) => {
    const end = found[2 * names.length + 1];
    const values = names.map((name, index) => spacedAs(found[2 * index + 2], quotedValue(name, results)));
    return values.map((value, index) => found[2 * index + 1] + value).join('') + end;
  });
}

/** The new value with the line breaks of the old one. */
function spacedAs(old: string, value: string): string {
  const spaces = old.match(/\s+/g) ?? [];
  let next = 0;
  return value.replace(/ /g, () => spaces[next++] ?? ' ');
}

/** Groups 1, 3, … are the text before each placeholder, 2, 4, … the values, and the last the text behind. */
function patternOf(sentence: string): { pattern: RegExp; names: string[] } {
  const names: string[] = [];
  const parts = sentence.split(/\{([^}]+)\}/).map((part, index) => {
    if (index % 2 === 0) return `(${part.split(' ').map(wordPattern).join('\\s*(?:\\|\\s*)?')})`;
    names.push(part);
    return `(${DURATION}|${COUNT})`;
  });
  return { pattern: new RegExp(parts.join('')), names };
}

/** A word with the marks of Markdown around it, as far as there are any. A bar is a column of a table, or nothing. */
function wordPattern(word: string): string {
  if (word === '' || word === '|') return '';
  const [, name, rest] = /^(.*?)([:;.,]?)$/.exec(word) as unknown as [string, string, string];
  return `[\`*]*${escaped(name)}[\`*]*${escaped(rest)}[\`*]*`;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The first three durations of each row that begins with a design are those of COLUMNS. Columns keep their widths. */
function withTables(text: string, results: QuotedResults): string {
  const row = new RegExp(
    `^((?:\\| |  )\`?([a-z+-]+)\`?.*?)(${DURATION} *)(.*?)(${DURATION} *)(.*?)(${DURATION} *)`,
    'gm',
  );
  return text.replace(row, (...[found, head, design, first, gap, second, other, third]: string[]) => {
    if (!results[`${design}: MMIO p99 at a BQL load of 50 %`]) return found;
    const [read, mmio, late] = COLUMNS.map((title) => quotedValue(`${design}: ${title}`, results));
    const sized = (value: string, old: string) => (old.endsWith(' ') ? value.padEnd(old.length) : value);
    return head + sized(read, first) + gap + sized(mmio, second) + other + sized(late, third);
  });
}
