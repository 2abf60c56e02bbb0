import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { southbridge } from '../../support/program.js';
import { tier } from '../../support/tier.js';

const root = new URL('../../../../', import.meta.url);
const path = (file: string) => fileURLToPath(new URL(file, root));

/** The demo as it is; or with a shorter trace, and fewer rounds than claims need. */
const SHORT = ['--trace', path('test/vectors/hpet_periodic_level.jsonl'), '--rounds', '2', '--part-ms', '20'];

t.test('southbridge demo serves, measures, explores and tells what came of it', async (t) => {
  const { status, stdout, stderr } = southbridge(['demo', ...(tier.fullDemo ? [] : SHORT)]);
  t.equal(stderr, '');
  t.equal(status, 0);
  const text = stdout.replace(/\s+/g, ' ');
  t.match(text, tier.fullDemo ? /recorded trace linux-6\.1-oneshot-up/ : /recorded trace hpet_periodic_level/);
  t.match(text, /Every value read was the recorded one; the HPET raised a line [\d,]+ times/);
  for (const design of ['bql', 'lockless-timer', 'lockless-irq']) {
    t.match(
      stdout,
      new RegExp(`^ {2}${design} +safe( +[\\d.]+ (k/s|M/s|ns|µs|ms|%)){5}$`, 'm'),
      `${design} is measured`,
    );
  }
  if (!tier.fullDemo) t.match(text, /the figures put no safe design before the others/, 'two rounds claim nothing');
  t.match(text, /nested-mutex: deadlock in [\d,]+ states/);
  t.match(text, /lockless-timer: nothing wrong in [\d,]+ states/);
  t.ok(stdout.split('\n').length < 70, 'a page of text');
  t.ok(
    stdout.split('\n').every((line) => line.length <= 80 || line.includes('--replay')),
    'that fits a terminal',
  );
  const [, replay] = /--replay (\S+)/.exec(stdout) ?? [];
  t.match(
    southbridge(['explore', '--replay', replay]),
    { status: 1, stdout: /^FAIL .* one schedule: deadlock/ },
    'what it names is there',
  );
});

t.test('a trace that cannot be replayed is refused', async (t) => {
  t.match(southbridge(['demo', '--trace', 'no-such-file']), { status: 2, stderr: /no-such-file: cannot be read/ });
});

t.test('a package has what the demo replays', async (t) => {
  const { files } = JSON.parse(readFileSync(path('package.json'), 'utf8'));
  const boot = 'test/vectors/guest/linux-6.1-oneshot-up.jsonl';
  t.ok(existsSync(path(boot)));
  t.ok(
    files.some((file: string) => boot === file || boot.startsWith(`${file}/`)),
    boot,
  );
});
