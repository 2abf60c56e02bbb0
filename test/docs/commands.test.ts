import t from 'tap';
import { axesOf, PRESETS } from '../../src/core/locking/presets.js';
import { classOfPreset } from '../../src/core/locking/verdicts.js';
import { COMMANDS, helpOf, withSubcommands } from '../support/cli-commands.js';
import { PAGES, textOf } from '../support/command-lines.js';

interface Mention {
  readonly page: string;
  /** What follows the program's name. */
  readonly words: readonly string[];
}

/** Command lines in code blocks and code spans, whether npm, node or a shell finds the program. */
const CALL = /(?:^|[\s`(])(?:npm run -s southbridge --|node dist\/src\/cli\.js|southbridge)((?: +[^\s`#|&;)]+)+)/gm;

const mentions: Mention[] = PAGES.flatMap((page) =>
  [...codeOf(textOf(page)).matchAll(CALL)].map(([, rest]) => ({
    page,
    // What stands behind `--` goes to another program.
    words: rest
      .replace(/ -- .*/, '')
      .trim()
      .split(/ +/),
  })),
);

/** The code of a page: blocks, with continued lines joined, indented command lines, and spans. */
function codeOf(text: string): string {
  const blocks = [...text.matchAll(/^```(?!python)\w*\n(.*?)^```/gms)].map(([, block]) =>
    block.replace(/\\\n\s*/g, ' '),
  );
  const rest = text.replace(/^```.*?^```/gms, '');
  const indented = [...rest.matchAll(/^ {4}((?:southbridge|npm|node) .*)$/gm)].map(([, line]) => line);
  const spans = [...rest.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span);
  return [...blocks, ...indented, ...spans].join('\n');
}

const all = new Map(
  COMMANDS.flatMap((top) => withSubcommands(top)).map(([words, command]) => [words.join(' '), helpOf(command)]),
);

t.test('every command line of the documents exists', async (t) => {
  t.ok(
    mentions.some(({ page }) => page === 'README.md'),
    'the README has some',
  );
  for (const { page, words } of mentions) {
    let command = '';
    let flags = words;
    while (flags.length > 0 && all.has(`${command} ${flags[0]}`.trim())) {
      command = `${command} ${flags[0]}`.trim();
      flags = flags.slice(1);
    }
    t.ok(
      command !== '' || flags[0].startsWith('-'),
      `${page}: southbridge ${words.join(' ')}: ${words[0]} is a command`,
    );
    for (const flag of flags.filter((word) => word.startsWith('-')).map((word) => word.split('=')[0])) {
      t.match(
        all.get(command) ?? '',
        new RegExp(`^ +(?:-\\w, )?${flag}[ ,\\n]`, 'm'),
        `${page}: ${command} has ${flag}`,
      );
    }
  }
});

t.test('the README lists the presets as they are', async (t) => {
  const rows = textOf('README.md').matchAll(/^\| `([^`]+)` +\| (\S+ \/ \S+ \/ \S+ \/ \S+) +\| (\w+) +\|/gm);
  t.same(
    [...rows].map(([, name, axes, designClass]) => [name, axes, designClass]),
    Object.entries(PRESETS).map(([name, preset]) => [name, axesOf(preset).replaceAll('/', ' / '), classOfPreset(name)]),
  );
});
