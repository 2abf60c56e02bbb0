import t from 'tap';
import { PRESET_NAMES, PRESETS } from '../../../src/core/locking/presets.js';
import { classOfPreset } from '../../../src/core/locking/verdicts.js';
import { AcknowledgeRace } from '../../support/acknowledge-race.js';
import { Hammer } from '../../support/hammer.js';
import { tier } from '../../support/tier.js';

/** How often a hazard is to be seen before its demonstration ends; in a long run it must be seen. */
const OFTEN = 100;
const time = tier.hazardSeconds * 1000;
const mustBeSeen = tier.hazardSeconds >= 60;
const demonstrations = time > 0 ? {} : { skip: 'in tiers ci and long' };

// What is never to be seen, in every run.

for (const name of PRESET_NAMES.filter((name) => classOfPreset(name) === 'safe')) {
  t.test(`${name}: an acknowledgement that meets the next match leaves the line right`, async (t) => {
    const race = await AcknowledgeRace.start(PRESETS[name]);
    await race.run(Number.POSITIVE_INFINITY, () => race.rounds >= tier.hazardRounds);
    t.equal(race.wrong, 0, 'no line was ever other than its status bit');
    t.match(race.machine.deferred(), { late: 0, inverted: 0 }, 'no stale update');
    t.same(race.machine.deadlocks(), [], 'no deadlock');
    if (name === 'deferred-revalidated') {
      t.ok(race.log.length >= race.rounds, 'changes were logged with the number of the newest decision');
      t.equal(race.log.inverted, 0, 'and none of them was of an older one');
    }
    await race.close();
  });
}

// What the other designs do, as demonstrations.

t.test('legacy-race: interrupts are lost', demonstrations, async (t) => {
  const race = await AcknowledgeRace.start(PRESETS['legacy-race']);
  await race.run(time, () => race.wrong >= OFTEN);
  t.comment(`${race.wrong} of ${race.rounds} times the status bit was set and the line low, for good`);
  if (mustBeSeen) t.ok(race.wrong > 0, 'interrupts were lost');
  t.same(race.machine.deadlocks(), [], 'without any deadlock');
  await race.close();
});

t.test('deferred-irq: newer updates are overtaken by older ones', demonstrations, async (t) => {
  const race = await AcknowledgeRace.start(PRESETS['deferred-irq']);
  await race.run(time, () => race.wrong >= OFTEN);
  const { total, late, inverted, stale } = race.machine.engine.slot(0).deferred();
  t.comment(`${total} deferred, ${late} late, ${inverted} inverted; the line was wrong ${race.wrong} times`);
  if (mustBeSeen) t.ok(inverted > 0 && race.wrong > 0, 'updates were inverted, and lines left wrong');
  // An update of an older decision that leaves the line at its level is reported by no event.
  t.ok(race.log.inverted <= inverted, 'the log of line events finds no others');
  t.equal(race.log.inverted > 0, inverted > 0, 'and finds some of them');
  for (const update of stale.filter(({ reason }) => reason === 'inverted')) {
    t.match(update, { line: 20, source: 4 }, 'an acknowledgement or a match');
    t.ok(update.newest > update.change, 'that was applied after a newer decision');
  }
  t.same(race.machine.deadlocks(), [], 'without any deadlock');
  await race.close();
});

t.test('nested-mutex: main loop and vCPUs deadlock, and nothing is lost', demonstrations, async (t) => {
  const hammer = await Hammer.start(PRESETS['nested-mutex'], { duty: 500, hold: 200_000, burn: false });
  const { machine } = hammer;
  const end = performance.now() + time;
  await hammer.run(0, () => machine.deadlockCount() >= OFTEN || performance.now() > end);
  const deadlocks = machine.deadlocks();
  t.comment(`${machine.deadlockCount()} deadlocks, ${machine.deferred().total} changes made up for`);
  if (mustBeSeen) t.ok(deadlocks.length > 0, 'deadlocks were found');
  for (const { outcome, threads } of deadlocks) {
    t.equal(outcome, 'broken');
    const [mainLoop, vcpu] = [...threads].sort((a, b) => a.thread.localeCompare(b.thread));
    t.match(mainLoop, { thread: 'main-loop', waitsFor: 'device', site: 'timer-callback', holds: ['bql'] });
    t.match(vcpu, { thread: /^vcpu-[0-3]$/, waitsFor: 'bql', site: 'irq-update', holds: ['device'] });
  }
  if (deadlocks.length > 0) t.ok(machine.inversions().length > 0, 'and the lock order report shows it');
  await hammer.checkNothingLost(t);
  await machine.close();
});

t.test(
  'nested-mutex: what a broken deadlock puts off is not older than what came meanwhile',
  demonstrations,
  async (t) => {
    const race = await AcknowledgeRace.start(PRESETS['nested-mutex']);
    await race.run(time, () => race.machine.deferred().total >= OFTEN / 5);
    t.comment(`${race.machine.deadlockCount()} deadlocks, ${race.machine.deferred().total} changes made up for`);
    if (mustBeSeen) t.ok(race.machine.deferred().total > 0, 'changes were put off');
    t.equal(race.wrong, 0, 'no line was ever other than its status bit');
    await race.close();
  },
);
