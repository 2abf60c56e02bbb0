import { readFileSync } from 'node:fs';
import t from 'tap';
import { PRESETS } from '../../../src/core/locking/presets.js';
import { oraclesFor } from '../../../src/lab/explore/explore.js';
import { KINDS } from '../../../src/lab/explore/finding.js';
import { setUp } from '../../../src/lab/explore/fixture.js';
import { scenarioNamed } from '../../../src/lab/explore/scenarios.js';

const page = readFileSync('docs/exploration.md', 'utf8');

/** First cells of the rows under a heading. */
function rowsUnder(heading: string): string[] {
  const [, section = ''] = page.split(`## ${heading}\n`);
  const [text] = section.split('\n## ');
  return [...text.matchAll(/^\| `?([\w -]+?)`? +\|/gm)].map(([, cell]) => cell.trim()).slice(1);
}

const named = (row: string) => !/^-+$/.test(row);

t.test('docs/exploration.md lists every oracle and every kind of finding', async (t) => {
  const oracles = oraclesFor(setUp(scenarioNamed('mutex-barging'), PRESETS.bql), PRESETS.bql).map(({ name }) => name);
  t.same(rowsUnder('Oracles').filter(named), oracles, 'oracles, in their order');
  t.same(rowsUnder('Findings').filter(named).sort(), [...KINDS].sort(), 'kinds');
});
