import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { CallExpression, MemberExpression } from 'acorn';
import { parse } from 'acorn';
import { full } from 'acorn-walk';

/**
 * The compiled modules with the seam of shared memory taken out: where they call a method of `Memory`, there stands what
 * `SharedMemory` does, on its arrays. All else is the same text. Waiting, spinning and `select` stay calls: the first two
 * are for contention, the last is once per access.
 */

/** What `memory` and everything that holds one is called; a receiver by another name is found out by `refusing`. */
const MEMORY = /(^|\.)(#?(memory|shared)|#machine)$/;
const SEAM = 'src/core/memory/shared-memory.js';

const CLOCK = 'const directHostTime = () => { const time = process.hrtime(); return time[0] * 1e9 + time[1]; };\n';

/** Before, between and behind the arguments of an operation of Atomics. */
const atomics = (operation: string) => (m: string) => [`Atomics.${operation}(${m}.words, ${m}.base + (`, '), ', ')'];

/** What stands, for a receiver `m`, before the first argument, between it and further ones, and behind the last. */
const DIRECT: { readonly [method: string]: (m: string) => readonly string[] } = {
  get: (m) => [`${m}.words[${m}.base + (`, '', ')]'],
  set: (m) => [`(${m}.words[${m}.base + (`, ')] = (', '))'],
  getTime: (m) => [`${m}.times[(${m}.base + (`, '', ')) >> 1]'],
  setTime: (m) => [`(${m}.times[(${m}.base + (`, ')) >> 1] = (', '))'],
  load: (m) => [`Atomics.load(${m}.words, ${m}.base + (`, '', '))'],
  store: atomics('store'),
  exchange: atomics('exchange'),
  compareExchange: atomics('compareExchange'),
  add: atomics('add'),
  or: atomics('or'),
  notify: atomics('notify'),
};

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Copies a compiled module of `root`, and all of the project's that it imports, to `into`, and returns where it is then.
 * With `bypassed`, without the seam.
 */
export function copyModules(root: string, entry: string, into: string, bypassed: boolean): string {
  const left = [resolve(root, entry)];
  const seen = new Set(left);
  for (let path = left.pop(); path; path = left.pop()) {
    const source = readFileSync(path, 'utf8');
    for (const [, specifier] of source.matchAll(/(?:from|import) ?'(\.[^']*)'/g)) {
      const imported = resolve(dirname(path), specifier);
      if (seen.has(imported)) continue;
      seen.add(imported);
      left.push(imported);
    }
    const name = relative(root, path);
    const copy = join(into, name);
    mkdirSync(dirname(copy), { recursive: true });
    writeFileSync(copy, bypassed ? withoutSeam(name, source) : source);
  }
  return join(into, entry);
}

function withoutSeam(name: string, source: string): string {
  if (name === SEAM) return refusing(source);
  const edits: Edit[] = [];
  full(parse(source, { ecmaVersion: 'latest', sourceType: 'module' }), (node) => {
    if (node.type === 'CallExpression') edits.push(...direct(source, node as CallExpression));
  });
  const edited = applied(source, edits);
  return edited.includes('directHostTime()') ? CLOCK + edited : edited;
}

/** Of nested calls, the edits interleave and never overlap. */
function direct(source: string, { callee, arguments: given, end }: CallExpression): Edit[] {
  if (callee.type !== 'MemberExpression') return [];
  const method = nameOf(callee);
  const receiver = source.slice(callee.object.start, callee.object.end);
  if (!MEMORY.test(receiver)) return [];
  if (method === 'hostTime') return [{ start: callee.start, end, text: 'directHostTime()' }];
  if (!Object.hasOwn(DIRECT, method)) return [];
  const [before, between, behind] = DIRECT[method](receiver);
  const [first, second] = given;
  const edits = [{ start: callee.start, end: first.start, text: before }];
  if (second) edits.push({ start: first.end, end: second.start, text: between });
  edits.push({ start: given[given.length - 1].end, end, text: behind });
  return edits;
}

function nameOf({ property, computed }: MemberExpression): string {
  return computed || !('name' in property) ? '' : property.name;
}

function applied(source: string, edits: Edit[]): string {
  let text = '';
  let at = 0;
  for (const { start, end, text: inserted } of edits.sort((one, other) => one.start - other.start)) {
    text += source.slice(at, start) + inserted;
    at = end;
  }
  return text + source.slice(at);
}

/** The class with its arrays open to all, and methods that throw: who still goes through the seam is found out. */
function refusing(source: string): string {
  let text = source.replace(/#(words|times)\b/g, '$1');
  for (const method of [...Object.keys(DIRECT), 'hostTime']) {
    const opening = new RegExp(`^( {4}${method}\\([^)]*\\) \\{)$`, 'm');
    if (!opening.test(text)) throw new Error(`${SEAM} has no method ${method}`);
    text = text.replace(opening, `$1\n        throw new Error('${method}: the seam is not bypassed');`);
  }
  return text;
}
