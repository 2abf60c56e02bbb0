import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { southbridgeBeside } from '../../support/program.js';
import { FakeService } from './fake-service.js';
import { linesOf, Scratch, VECTORS } from './vectors.js';

const FSB = join(VECTORS, 'hpet_fsb.jsonl');

const scratch = new Scratch();
t.teardown(() => scratch.remove());

/** Folders: a good trace and a wrong one deep in it, and something else. */
mkdirSync(join(scratch.folder, 'mixed/deep'), { recursive: true });
mkdirSync(join(scratch.folder, 'other'));
scratch.write('mixed/good.jsonl', linesOf('hpet_fsb'));
scratch.write('mixed/notes.txt', ['no trace']);
const other = scratch.write('other/other.jsonl', ['{"format":"load-report"}']);
const changed = linesOf('hpet_oneshot64');
changed[10] = changed[10].replace('0x0000000000000000', '0x0000000000000001');
const wrong = scratch.write('mixed/deep/wrong.jsonl', changed);
const mixed = join(scratch.folder, 'mixed');

interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
}

async function southbridge(...parameters: string[]): Promise<Run> {
  const { status, stdout, stderr } = await southbridgeBeside(parameters);
  return { status, out: stdout, error: stderr };
}

t.test('a trace that passes', async (t) => {
  t.same(await southbridge('replay', FSB), { status: 0, out: '1 passed, 0 failed\n', error: '' });
});

t.test('a folder with a trace that fails', async (t) => {
  t.same(await southbridge('replay', mixed, '--in-process'), {
    status: 1,
    out: [
      `FAILED ${wrong}:11: step 10: read 8 bytes at 0xfed000f0`,
      '  expected 0x0000000000000001',
      '  got      0x0000000000000000',
      '1 passed, 1 failed',
      '',
    ].join('\n'),
    error: '',
  });
});

t.test('a cut file fails, and the others are still run', async (t) => {
  const cut = scratch.write('cut.jsonl', linesOf('hpet_oneshot64').slice(0, 20));
  t.same(await southbridge('replay', cut, FSB), {
    status: 1,
    out: `FAILED ${cut}: the header says 51 steps, the file has 18: cut off?\n1 passed, 1 failed\n`,
    error: '',
  });
});

t.test('--json', async (t) => {
  const { status, out, error } = await southbridge('replay', mixed, join(scratch.folder, 'other'), '--json');
  t.equal(status, 1);
  t.equal(
    error,
    `skipped ${other}:1: format is "load-report", not hpet-ioapic-trace/1 or guest-trace/1 or pic-trace/1\n`,
  );
  const { results, skipped, ...rest } = JSON.parse(out);
  t.same(rest, { target: 'in-process', locking: 'lockless-timer', profile: null, passed: 1, failed: 1 });
  t.match(skipped, [{ file: other, reason: /load-report/ }]);
  t.equal(results.length, 2);
  t.match(results[0], {
    file: wrong,
    name: 'hpet_oneshot64',
    passed: false,
    steps: 10,
    seconds: Number,
    mismatch: { line: 11, step: 10, expected: '0x0000000000000001', got: '0x0000000000000000' },
  });
  t.match(results[1], { file: join(mixed, 'good.jsonl'), passed: true, steps: 67, mismatch: null, error: null });
});

t.test('--profile and --locking', async (t) => {
  const trace = join(VECTORS, 'wired_periodic_edge.jsonl');
  t.match(await southbridge('replay', trace, '--locking', 'bql'), { status: 0, out: '1 passed, 0 failed\n' });
  t.match(await southbridge('replay', trace, '--profile', 'datasheet'), { status: 1, out: /0 passed, 1 failed\n$/ });
});

t.test('--url', async (t) => {
  const service = new FakeService();
  const url = await service.listen();
  t.teardown(() => service.close());
  const { status, out } = await southbridge('replay', FSB, '--json', '--locking', 'lockless-irq', '--url', `${url}`);
  t.equal(status, 0);
  t.match(JSON.parse(out), { target: url.origin, passed: 1, failed: 0 });
  t.match(service.created, [{ locking: 'lockless-irq' }]);
  t.equal(service.machines.size, 0);
});

/** Refused command lines, and their messages. */
const REFUSED: readonly [what: string, parameters: string[], message: RegExp][] = [
  ['no path', [], /missing required argument 'paths'/],
  ['a path that does not exist', [FSB, '/does/not/exist'], /^error: \/does\/not\/exist: does not exist\n$/],
  [
    'a folder with something else',
    [join(scratch.folder, 'other')],
    /^skipped .*\nerror: no trace found in .*\/other\n$/,
  ],
  ['an unknown profile', [FSB, '--profile', 'qemu'], /Allowed choices are qemu-11\.1, datasheet, standard/],
  ['a URL of something else', [FSB, '--url', 'ws://127.0.0.1'], /begins with http:\/\/ or https:\/\//],
  ['two targets', [FSB, '--url', 'http://127.0.0.1:8080', '--in-process'], /cannot be used with/],
];

for (const [what, parameters, message] of REFUSED) {
  t.test(`${what} is refused`, async (t) => {
    const { status, out, error } = await southbridge('replay', ...parameters);
    t.equal(status, 2);
    t.equal(out, '');
    t.match(error, message);
  });
}
