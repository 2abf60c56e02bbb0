import t from 'tap';
import { isGenerated, SOURCES } from './source.js';

const LONGEST = 60;
/** Most numbers that a function passes on by position: beyond, a reader cannot tell which is which. */
const MOST_FORWARDED = 4;

interface Found {
  readonly line: number;
  readonly lines: number;
}

const indentOf = (line: string) => line.length - line.trimStart().length;
const STATEMENT = /^\s*(\} )?(if|else|for|while|switch|catch|do)\b/;

/** Functions with a body in braces. The formatter puts its end at the indentation of its beginning. */
function functionsOf(text: string): Found[] {
  const lines = text.split('\n');
  return lines.flatMap((line, opened) => {
    if (!/(\)(: [^=]*)?|=>) \{$/.test(line) || STATEMENT.test(line)) return [];
    const ends = (other: string) => other.trim() !== '' && indentOf(other) <= indentOf(line);
    const isContinued = /^\s*\)/.test(line);
    const begun = isContinued ? lines.slice(0, opened).findLastIndex(ends) : opened;
    if (STATEMENT.test(lines[begun])) return [];
    const end = lines.findIndex((other, index) => index > opened && ends(other));
    return [{ line: begun + 1, lines: end - begun + 1 }];
  });
}

const PAIRS: { readonly [open: string]: string } = { '(': ')', '[': ']', '{': '}' };

/** Where the bracket at `open` closes. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] in PAIRS) depth++;
    else if (')]}'.includes(text[at]) && --depth === 0) return at;
  }
  return text.length;
}

/** The parts between the commas of a list, without those in brackets. */
function partsOf(list: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const char of list) {
    if (char in PAIRS) depth++;
    else if (')]}'.includes(char)) depth--;
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts.map((part) => part.trim());
}

/** The body of a function whose parameters end before `from`: a block, or an expression up to its end. */
function bodyAt(text: string, from: number): string {
  const [head = ''] = /^(: [^={;]+)?\s*(=>\s*)?/.exec(text.slice(from)) ?? [];
  const begin = from + head.length;
  if (text[begin] === '{') return text.slice(begin, closing(text, begin));
  if (!head.includes('=>')) return '';
  let at = begin;
  while (at < text.length && !/[;,)\]}]/.test(text[at])) at = text[at] in PAIRS ? closing(text, at) + 1 : at + 1;
  return text.slice(begin, at);
}

/** Per function, the most of its number parameters that it passes by position to one call, where these are too many. */
function forwardersOf(source: string): number[] {
  const text = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const counts: number[] = [];
  for (const { index } of text.matchAll(/\(/g)) {
    const end = closing(text, index);
    const parameters = partsOf(text.slice(index + 1, end));
    const numbers = parameters.flatMap((part) => /^(?:readonly )?(\w+)(?:\??: number\b| = -?\d)/.exec(part)?.[1] ?? []);
    if (numbers.length <= MOST_FORWARDED) continue;
    const body = bodyAt(text, end + 1);
    const calls = [...body.matchAll(/[\w\])]\(/g)].map((call) => {
      const open = call.index + 1;
      return partsOf(body.slice(open + 1, closing(body, open))).filter((part) => numbers.includes(part)).length;
    });
    counts.push(Math.max(0, ...calls));
  }
  return counts.filter((count) => count > MOST_FORWARDED);
}

const files = SOURCES.filter(({ path }) => !isGenerated(path));

t.test('no function is too long', async (t) => {
  const all = files.flatMap(({ path, text }) => functionsOf(text).map((found) => ({ path, ...found })));
  t.ok(all.length > 1000, `${all.length} functions`);
  t.strictSame(
    all.filter(({ lines }) => lines > LONGEST),
    [],
    `at most ${LONGEST} lines`,
  );
});

t.test('no function passes on more than four numbers by position', async (t) => {
  t.strictSame(
    files.filter(({ text }) => forwardersOf(text).length > 0).map(({ path }) => path),
    [],
  );
});

t.test('long functions and long lists of numbers are found', async (t) => {
  const body = '    a();\n'.repeat(3);
  t.same(functionsOf(`class A {\n  f(a: B): void {\n${body}  }\n}`), [{ line: 2, lines: 5 }]);
  t.same(functionsOf(`function f(\n  a: B,\n): void {\n${body}}`), [{ line: 1, lines: 7 }]);
  t.same(functionsOf(`const f = async (a) => {\n${body}};`), [{ line: 1, lines: 5 }]);
  t.same(functionsOf(`if (a(b)) {\n${body}}\nfor (;;) {\n${body}}`), []);
  const five = 'a: number, b: number, c: number, d: number, e = 0';
  t.same(forwardersOf(`f(x: X, ${five}): void {\n  if (a) g(x, a, b, c + 1, c, d, e);\n}`), [5]);
  t.same(forwardersOf(`const f = (${five}) => new G(a, h(b), b, c, d, e);`), [5]);
  t.same(forwardersOf(`f(${five}) { g(a, b); h(c, d, e); i({ a, b, c, d, e }); }`), []);
});
