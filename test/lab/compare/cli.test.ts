import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { southbridge } from '../../support/program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder(t);
const file = (name: string) => join(folder, name);

t.test('two designs, measured for a moment', async (t) => {
  const { status, stdout, stderr } = southbridge([
    'compare',
    ...['--locking', 'bql,deferred-irq', '--bql-load', '0,50', '--rounds', '2', '--part-ms', '20'],
    ...[
      '--json',
      file('figures.json'),
      '--html',
      file('page.html'),
      '--markdown',
      file('page.md'),
      '--pictures',
      file('images'),
    ],
  ]);
  t.equal(status, 0, stderr);
  t.match(stdout, /^BQL load 50 %$/m);
  t.match(stdout, /Does not carry over: absolute times/);
  t.match(stdout, /deferred-irq: stale; neither a deadlock nor a race/);

  const { cells, machine } = JSON.parse(readFileSync(file('figures.json'), 'utf8'));
  t.type(machine.cores, 'number');
  t.same(
    cells.map(({ locking, load, rounds }: { [key: string]: unknown }) => [locking, load, rounds]),
    [
      ['bql', 0, 2],
      ['bql', 0.5, 2],
      ['deferred-irq', 0, 2],
      ['deferred-irq', 0.5, 2],
    ],
  );
  for (const { figures } of cells) {
    t.ok(figures.accesses.median > 0, 'accesses were made');
    t.ok(figures.readP50.median > 0 && figures.readP50.median <= figures.readP99.median, 'and timed');
    t.ok(figures.accesses.low <= figures.accesses.median && figures.accesses.median <= figures.accesses.high);
  }

  const html = readFileSync(file('page.html'), 'utf8');
  t.equal(html.match(/<figure>/g)?.length, 6, 'charts');
  t.notMatch(html, /<script|src=|href=|@import|url\(/, 'it needs no other file');
  const page = readFileSync(file('page.md'), 'utf8');
  t.match(page, /\| `deferred-irq` \| stale \|/);
  for (const [, name] of page.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g))
    t.match(readFileSync(file(name), 'utf8'), /^<svg xmlns=/, name);
});

t.test('figures of an earlier run, shown again and held against themselves', async (t) => {
  const { status, stdout, stderr } = southbridge([
    'compare',
    '--from',
    file('figures.json'),
    '--against',
    file('figures.json'),
  ]);
  t.equal(status, 0);
  t.match(stdout, /^BQL load 50 %$/m);
  t.match(stderr, /^0 claims of this run are the opposite/);
});

t.test('refused command lines', async (t) => {
  for (const [parameters, message] of [
    [['--locking', 'bql,qemu'], /There is no design qemu; there are: bql, /],
    [['--bql-load', '96'], /whole number from 0 to 95/],
    [['--against', file('none.json')], /is no file that southbridge compare --json wrote/],
  ] as const) {
    const { status, stderr } = southbridge(['compare', ...parameters]);
    t.equal(status, 2);
    t.match(stderr, message);
  }
});
