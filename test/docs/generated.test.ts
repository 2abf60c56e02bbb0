import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { Area } from '../../src/core/memory/layout.js';
import * as map from '../../src/core/memory/map.js';
import { AREA_PARTS, SHARED_PARTS } from '../../src/docs/memory-map.js';
import { PAGES } from '../../src/docs/pages.js';
import { pagesWithResults, withResults } from '../../src/docs/results.js';
import { withRoles } from '../../src/docs/roles.js';
import { textOf } from '../support/command-lines.js';
import { withTiers } from '../support/tier-table.js';

const root = new URL('../../../', import.meta.url);

for (const [file, text] of Object.entries(PAGES)) {
  t.test(`docs/${file} is current (npm run docs:generate)`, async (t) => {
    t.equal(textOf(`docs/${file}`), text());
  });
}

t.test('the table of roles in docs/security.md is current (npm run docs:generate)', async (t) => {
  const text = textOf('docs/security.md');
  t.equal(await withRoles(text), text);
});

t.test('the table of tiers in test/README.md is current (npm run docs:generate)', async (t) => {
  const text = textOf('test/README.md');
  t.equal(withTiers(text), text);
});

t.test('quoted results are those of docs/results.json (npm run docs:generate)', async (t) => {
  const pages = pagesWithResults();
  t.ok(pages.length > 10);
  for (const page of pages) {
    const text = textOf(`docs/${page}`);
    t.equal(withResults(text), text, page);
  }
});

t.test('every result has its commit and its command', async (t) => {
  const results: Record<string, { median: number | null; range?: number[] }> = JSON.parse(textOf('docs/results.json'));
  for (const [name, result] of Object.entries(results)) {
    t.match(result, { unit: String, commit: /^[0-9a-f]{7,40}$/, command: String }, name);
    t.ok(typeof result.median === 'number' || result.range?.length === 2, `${name} has a value`);
  }
});

t.test('the memory map names the file that lays out each part', async (t) => {
  for (const { file } of Object.values(SHARED_PARTS)) t.ok(existsSync(new URL(`src/${file}`, root)), file);
  const areas = Object.entries(map).filter((entry): entry is [string, Area] => entry[1] instanceof Area);
  for (const [constant, { name }] of areas) {
    const source = readFileSync(new URL(`src/${AREA_PARTS[name].file}`, root), 'utf8');
    t.match(source, new RegExp(`\\b${constant}\\b`), `${AREA_PARTS[name].file} uses ${constant}`);
  }
  t.same(Object.keys(AREA_PARTS).sort(), map.MACHINE_AREAS.map(({ name }) => name).sort());
});

t.test('areas of a machine lie in order, without overlap', async (t) => {
  let end = 0;
  for (const area of map.MACHINE_AREAS) {
    t.ok(area.start >= end && area.end > area.start, area.name);
    end = area.end;
  }
  t.ok(end <= map.MACHINE_WORDS);
});
