import t from 'tap';
import { southbridge } from '../../support/program.js';

const run = (...args: string[]) => southbridge(['explore', ...args]);

t.test('explore finds the deadlock, draws it, and its replay string reproduces it', async (t) => {
  const { status, stdout } = run('--locking', 'nested-mutex', '--scenario', 'callback-acknowledge');
  t.equal(status, 0, 'the table of expectations requires it');
  t.match(
    stdout,
    /^FAIL nested-mutex × callback-acknowledge, exhaustive: deadlock, lock-order\n {2}\d+ states, \d+ transitions/,
  );
  t.match(stdout, /✗ waits for device {2}\[bql\]/);
  t.match(stdout, /✗ waits for bql {2}\[device\]/);
  t.match(stdout, /due-work\.ts:\d+ /, 'with lines of the source');
  const replay = /^ {2}deadlock: .*?--replay (\S+)/ms.exec(stdout)?.[1] ?? '';
  const first = run('--replay', replay);
  t.equal(first.status, 1);
  t.match(first.stdout, /^deadlock: main loop, holding bql, waits for device; vCPU 0, holding device, waits for bql$/m);
  t.equal(run('--replay', replay).stdout, first.stdout, 'the same again');
});

t.test('explore --json', async (t) => {
  const { status, stdout } = run('--locking', 'legacy-race', '--scenario', 'callback-acknowledge', '--json');
  const { results } = JSON.parse(stdout);
  t.equal(status, 0);
  t.match(results, [
    { locking: 'legacy-race', scenario: 'callback-acknowledge', complete: true, preemptions: 'unbounded' },
  ]);
  const [{ findings }] = results;
  const race = findings.find(({ summary }: { summary: string }) => /^hpet\.status: main loop writes and/.test(summary));
  t.match(race, { kind: 'race', summary: /vCPU 0 writes it, unordered$/, replay: /^legacy-race:/ });
  t.ok(race.counterexample.steps.length > 10);
  const replayed = run('--json', '--replay', race.replay);
  t.ok(
    JSON.parse(replayed.stdout).findings.some(({ kind, key }: { kind: string; key: string }) => {
      return kind === 'race' && key === 'hpet.status';
    }),
  );
});

t.test('a bounded exploration says so', async (t) => {
  const { stdout } = run('--locking', 'lockless-timer', '--scenario', 'callback-acknowledge', '--preemptions', '1');
  t.match(stdout, /^NOTE lockless-timer × callback-acknowledge, bounded \(1 preemption\): atomicity$/m);
});

t.test('unknown designs and impossible schedules are refused', async (t) => {
  const { status, stderr } = run('--locking', 'no-such', '--scenario', 'callback-acknowledge');
  t.equal(status, 2);
  t.match(stderr, /There is no design no-such/);
  t.equal(run('--replay', 'nested-mutex:callback-acknowledge:blocking:99b').status, 2);
});
