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

  const { cells, machine, conditions } = JSON.parse(readFileSync(file('figures.json'), 'utf8'));
  t.match(
    conditions,
    [
      { load: 0.5, vcpus: 2, mutex: 'barging' },
      { load: 0, factor: 'load' },
    ],
    'the base point first',
  );
  t.type(machine.cores, 'number');
  t.same(
    cells.map(({ locking, condition, rounds }: { [key: string]: unknown }) => [locking, condition, rounds]),
    [
      ['bql', 'BQL load 50 %', 2],
      ['bql', 'BQL load 0 %', 2],
      ['deferred-irq', 'BQL load 50 %', 2],
      ['deferred-irq', 'BQL load 0 %', 2],
    ],
  );
  for (const { figures } of cells) {
    t.ok(figures.accesses.median > 0, 'accesses were made');
    t.ok(figures.readP50.median > 0 && figures.readP50.median <= figures.readP99.median, 'and timed');
    t.ok(figures.uncontended.median > 0 && figures.mainLoopP99.median > 0);
    t.ok(figures.fairness.median > 0 && figures.fairness.median <= 100);
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

t.test('every kind of holder, lock and workload is measured', async (t) => {
  const { status, stdout, stderr } = southbridge([
    'compare',
    ...['--locking', 'lockless-irq', '--rounds', '1', '--part-ms', '20', '--json'],
    ...['--holds', 'background:500,background:5,vcpus:50', '--mutex', 'ticket', '--workload', 'guest,counter-storm'],
    ...['--vcpus', '1,4'],
  ]);
  t.equal(status, 0, stderr);
  const { cells, conditions } = JSON.parse(stdout);
  t.same(
    conditions.map(({ name, factor }: { [key: string]: unknown }) => [name, factor]),
    [
      ['BQL load 50 %', undefined],
      ['holds of 5 µs by a background thread', 'holds'],
      ['holds of 50 µs by vCPUs', 'holds'],
      ['4 vCPUs', 'vcpus'],
      ['counter read storm', 'workload'],
    ],
  );
  t.match(
    conditions,
    Array(5).fill({ mutex: 'ticket' }),
    'the only value that was asked for is that of the base point',
  );
  for (const { figures, condition } of cells) t.ok(figures.accesses.median > 0, condition);
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
    [['--vcpus', '5'], /whole number from 1 to 4/],
    [['--holds', 'main-loop:5'], /background or vcpus, a colon, and a number of µs/],
    [['--holds', 'vcpus:0'], /whole number from 1 to/],
    [['--mutex', 'spin'], /There is no mutex spin; there are: barging, ticket/],
    [['--workload', 'linux'], /There is no workload linux; there are: guest, counter-storm/],
    [['--against', file('none.json')], /is no file that southbridge compare --json of this version wrote/],
  ] as const) {
    const { status, stderr } = southbridge(['compare', ...parameters]);
    t.equal(status, 2);
    t.match(stderr, message);
  }
});
