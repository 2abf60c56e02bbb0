import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PAGES } from './pages.js';
import { pagesWithResults, withResults } from './results.js';
import { withRoles } from './roles.js';

const pathOf = (file: string) => fileURLToPath(new URL(`../../../docs/${file}`, import.meta.url));

for (const [file, text] of Object.entries(PAGES)) writeFileSync(pathOf(file), text());

const security = pathOf('security.md');
writeFileSync(security, await withRoles(readFileSync(security, 'utf8')));

for (const file of pagesWithResults()) writeFileSync(pathOf(file), withResults(readFileSync(pathOf(file), 'utf8')));
