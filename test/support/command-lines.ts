import { readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../../', import.meta.url);

/** Documents: the README, the guides for contributors and the pages of `docs`. */
export const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'test/README.md',
  ...readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

export function textOf(page: string): string {
  return readFileSync(new URL(page, root), 'utf8');
}

/** What a line of a block without a language begins with if it is a command line, and not what a program wrote. */
const PROGRAM = /^(southbridge|npm|npx|node|curl|python3) /;

/** The command lines in the code blocks of a page, with continued lines joined, without comments and here-documents. */
export function commandLines(page: string): string[] {
  return [...textOf(page).matchAll(/^```(sh|bash|shell)?\n(.*?)^```/gms)].flatMap(([, language, block]) =>
    block
      .replace(/ <<'END'\n.*?^END$/gms, '')
      .replace(/\\\n\s*/g, ' ')
      .split('\n')
      .map((line) => line.trim().replace(/ +# .*$/, ''))
      .filter((line) => (language === undefined ? PROGRAM.test(line) : line !== '' && !line.startsWith('#'))),
  );
}
