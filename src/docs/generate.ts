import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PAGES } from './pages.js';

for (const [file, text] of Object.entries(PAGES)) {
  const path = fileURLToPath(new URL(`../../../docs/${file}`, import.meta.url));
  writeFileSync(path, text());
}
