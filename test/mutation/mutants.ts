import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The built code that is mutated. */
const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url));
const FOLDERS = ['core/locking', 'core/machine', 'core/sync', 'runtime/rings', 'runtime/events', 'runtime/threads'];
/** Not reached by any schedule: types, names, and the loading of modules. */
const EXCLUDED = /(own-design|trait-check|axes|presets|verdicts|configuration|shared-map|shared-words|worker)\.js$/;

/** A change of one or two lines of a built file. */
export interface Mutant {
  /** Rule, file, line, and a number where a line has several. */
  readonly id: string;
  readonly rule: string;
  /** From the folder of the built source. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly before: string;
  readonly after: string;
}

interface Rule {
  readonly name: string;
  /** The lines in place of line `i`, and how many lines they replace. Empty: the rule does not apply. */
  mutate(lines: readonly string[], i: number): readonly { readonly text: string; readonly count: number }[];
}

/** Replaces each match in a line, one mutant per match. */
function replacing(name: string, pattern: RegExp, replacement: string): Rule {
  return {
    name,
    mutate(lines, i) {
      return [...lines[i].matchAll(pattern)].map((match) => ({
        text: lines[i].slice(0, match.index) + replacement + lines[i].slice(match.index + match[0].length),
        count: 1,
      }));
    },
  };
}

/** Deletes a statement of one line. */
function deleting(name: string, pattern: RegExp): Rule {
  return { name, mutate: (lines, i) => (pattern.test(lines[i]) ? [{ text: ';', count: 1 }] : []) };
}

const STATEMENT = /^( *)[\w.#[\]]+(\(.*\)| [+|&-]?= .*|\+\+);$/;
/** Two plain accesses, with nothing between them that another thread synchronises with, commute: they are no mutant. */
const RELEASES = /\.(store|exchange|release|unguard|releaseAll|leave|notify|ring)\(/;

const RULES: readonly Rule[] = [
  replacing('weak-store', /\.store\(/g, '.set('),
  replacing('weak-load', /\.load\(/g, '.get('),
  deleting('no-notify', /^ *[\w.#]+\.(notify|ring|ringAgain|kickVcpu|kickMainLoop|kick|wake\w*)\(.*\);$/),
  deleting('no-lock', /^ *[\w.#]*locks\.(acquire|acquireUnder|acquireBoth)\(.*\);$/),
  replacing(
    'no-recheck',
    /\bif \((?=.*\b(load|isEmpty|isCurrent|hasRoom|isRequested|isAlive|compareExchange)\b)/g,
    'if (false && ',
  ),
  replacing('off-by-one', /\+ 1\)(?= [|&])/g, '+ 2)'),
  replacing('compare-without-wrap', / \| 0\)(?= (>|<|===|!==|>=|<=))/g, ')'),
  replacing('no-wrap', /\+ 1\) \| 0\b/g, '+ 1)'),
  {
    name: 'swap',
    mutate(lines, i) {
      const [first, second = ''] = [lines[i], lines[i + 1]];
      const indents = [STATEMENT.exec(first)?.[1], STATEMENT.exec(second)?.[1]];
      const isPair = indents[0] !== undefined && indents[0] === indents[1] && first !== second;
      return isPair && (RELEASES.test(first) || RELEASES.test(second))
        ? [{ text: `${second}\n${first}`, count: 2 }]
        : [];
    },
  },
];

/** Every mutant of the built core and runtime, in the order of files and lines. */
export function allMutants(): Mutant[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(SOURCE, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.js') && !EXCLUDED.test(name))
      .sort()
      .flatMap((name) => mutantsOf(join(folder, name))),
  );
}

function mutantsOf(file: string): Mutant[] {
  const lines = readFileSync(join(SOURCE, file), 'utf8').split('\n');
  return lines.flatMap((line, i) => {
    if (/^ *(\/\/|\*|\/\*|import |export \{)/.test(line)) return [];
    return RULES.flatMap((rule) =>
      rule.mutate(lines, i).map(({ text, count }, number) => ({
        id: `${rule.name}:${file}:${i + 1}${number > 0 ? `:${number}` : ''}`,
        rule: rule.name,
        file,
        line: i + 1,
        before: lines.slice(i, i + count).join('\n'),
        after: text,
      })),
    );
  });
}

/** The text of a mutant's file. */
export function mutated({ file, line, before, after }: Mutant): string {
  const lines = readFileSync(join(SOURCE, file), 'utf8').split('\n');
  lines.splice(line - 1, before.split('\n').length, ...after.split('\n'));
  return lines.join('\n');
}
