import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { code, table } from '../../src/docs/markdown.js';
import { ROOT } from './suite.js';
import { TIERS } from './tier.js';

const PAGE = join(ROOT, 'test/README.md');
const BLOCK = /<!-- tiers -->\n.*?<!-- end of tiers -->/s;

/** The text of `test/README.md` with its table of tiers as `tier.ts` and the tests have it. */
export function withTiers(text: string): string {
  const rows = Object.keys(TIERS.test).map((name) => {
    const setting = name as keyof typeof TIERS.test;
    const counts = [TIERS.test, TIERS.ci, TIERS.long].map((tier) => valueText(tier[setting]));
    return [code(name), ...counts, usersOf(name).map(code).join(', ')];
  });
  const shown = table(['setting', 'test', 'ci', 'long', 'files'], rows);
  return text.replace(BLOCK, `<!-- tiers -->\n\n${shown}\n\n<!-- end of tiers -->`);
}

function valueText(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'number' ? value.toLocaleString('en') : value;
}

/** Files below `test/` that read a setting of the tier. */
function usersOf(name: string): string[] {
  return readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('tier.ts'))
    .filter((file) => new RegExp(`\\btier\\.${name}\\b|\\{[^}]*\\b${name}\\b[^}]*\\} = tier\\b`).test(read(file)))
    .sort();
}

function read(file: string): string {
  return readFileSync(join(ROOT, 'test', file), 'utf8');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, withTiers(readFileSync(PAGE, 'utf8')));
