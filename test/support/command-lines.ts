import { readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../../', import.meta.url);

/** What users read: the README and the pages of `docs`. */
export const PAGES = [
  'README.md',
  ...readdirSync(new URL('docs/', root))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

export function textOf(page: string): string {
  return readFileSync(new URL(page, root), 'utf8');
}

/** The command lines in the code blocks of a page that are for a shell, with continued lines joined. */
export function commandLines(page: string): string[] {
  return [...textOf(page).matchAll(/^```(?:sh|bash|shell)\n(.*?)^```/gms)]
    .flatMap(([, block]) => block.replace(/\\\n\s*/g, ' ').split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
