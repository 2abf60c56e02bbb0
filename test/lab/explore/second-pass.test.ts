import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parseReplayString, replay } from '../../../src/lab/explore/replay-string.js';

t.setTimeout(600_000);

const CLI = fileURLToPath(new URL('../../../src/cli.js', import.meta.url));

interface Found {
  readonly kind: string;
  readonly summary: string;
  readonly replay: string;
}

function explore(...args: string[]) {
  return spawnSync(process.execPath, [CLI, 'explore', ...args], { encoding: 'utf8', maxBuffer: 2 ** 26 });
}

/** Findings that the first pass cannot make, because it never preempts between two plain accesses. */
const EFFECTS: readonly (readonly [scenario: string, summary: RegExp])[] = [
  ['comparator-read', /answer\[0\] is 0x368 and not 0x100000368/],
  ['comparator-read', /answer\[0\] is 0x1ffffff80 and not 0x100000368/],
  ['callback-acknowledge', /hpet.status: main loop read 1 and writes 1 over the 0 written meanwhile, which is lost/],
];

t.test('effects of a race: a torn comparator, a lost acknowledgement', async (t) => {
  const scenarios = [...new Set(EFFECTS.map(([scenario]) => scenario))];
  const run = explore('--locking', 'legacy-race', '--scenario', scenarios.join(), '--json');
  t.equal(run.status, 0, 'exactly the expected findings');
  const { results } = JSON.parse(run.stdout);
  for (const result of results) t.ok(result.secondPass.words.length > 0, `${result.scenario} has racy words`);
  for (const [scenario, summary] of EFFECTS) {
    const { findings } = results.find((result: { scenario: string }) => result.scenario === scenario);
    const effect = findings.find((finding: Found) => summary.test(finding.summary));
    if (!t.ok(effect, `${scenario}: ${summary}`)) continue;
    t.equal(effect.kind, 'linearizability');
    const request = parseReplayString(effect.replay);
    if (!t.ok(request, effect.replay) || !request) continue;
    const { findings: again } = replay(request, false);
    t.ok(
      again.some((finding) => summary.test(finding.summary)),
      `${effect.replay} shows it again`,
    );
  }
});

t.test('the counterexample shows the threads that read and write the racy words', async (t) => {
  const run = explore('--locking', 'legacy-race', '--scenario', 'comparator-read');
  t.equal(run.status, 0);
  const torn = run.stdout.slice(run.stdout.search(/^ {2}linearizability: .*0x368/m));
  t.match(torn, /★ reads hpet\.timer\[0\]\.comparator\.high/);
  t.match(torn, /★ writes hpet\.timer\[0\]\.comparator\.low│\n +-128 → 872/);
});

t.test('a design without races has no second pass, and a malformed list of words is refused', async (t) => {
  const run = explore('--locking', 'lockless-timer', '--scenario', 'comparator-read', '--json');
  t.equal(run.status, 0);
  t.equal(JSON.parse(run.stdout).results[0].secondPass, undefined);
  const replayed = explore('--replay', 'legacy-race:comparator-read:blocking@17054-:20a');
  t.equal(replayed.status, 2);
  t.match(replayed.stderr, /--replay takes a replay string/);
});
