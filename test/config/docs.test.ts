import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { PAGES } from '../../src/docs/pages.js';
import { withRoles } from '../../src/docs/roles.js';
import { loadText } from './load.js';

t.test('generated pages are current (npm run docs:generate)', async (t) => {
  for (const [file, text] of Object.entries(PAGES)) {
    t.equal(readFileSync(new URL(`../../../docs/${file}`, import.meta.url), 'utf8'), text(), file);
  }
});

t.test('the table of roles is current (npm run docs:generate)', async (t) => {
  const text = readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8');
  t.equal(await withRoles(text), text);
});

t.test('the example in the documentation is a configuration', async (t) => {
  const [, example] = /```yaml\n(.*?)```/s.exec(PAGES['configuration.md']()) ?? [];
  t.match(loadText(example).configuration, parse(example));
});
