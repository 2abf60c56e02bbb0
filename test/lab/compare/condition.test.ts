import t from 'tap';
import { conditionsOf, FACTORS, type Factor, runnableThreads } from '../../../src/lab/compare/condition.js';
import { Schedule } from '../../../src/lab/compare/schedule.js';

t.test('every condition differs from the base point in one factor, and no two are the same', async (t) => {
  const [base, ...others] = conditionsOf(FACTORS);
  const factors = Object.keys(FACTORS) as Factor[];
  t.equal(base.factor, undefined);
  for (const other of others) {
    const changed = factors.filter((factor) => JSON.stringify(other[factor]) !== JSON.stringify(base[factor]));
    t.same(changed, [other.factor], other.name);
  }
  const values = factors.reduce((sum, factor) => sum + FACTORS[factor].length - 1, 1);
  t.equal(new Set([base, ...others].map(({ name }) => name)).size, values);
});

t.test(
  'a background thread with short holds burns a core; one that sleeps, and the vCPUs themselves, do not',
  async (t) => {
    const threads = conditionsOf(FACTORS).map((condition) => [condition.name, runnableThreads(condition)]);
    t.same(
      threads.filter(([, count]) => count !== 2),
      [
        ['holds of 50 µs by a background thread', 3],
        ['holds of 5 µs by a background thread', 3],
        ['1 vCPU', 1],
        ['3 vCPUs', 3],
        ['4 vCPUs', 4],
      ],
    );
  },
);

t.test('accesses that wait behind a slow one count from their intended start', async (t) => {
  const schedule = new Schedule(0, 100, undefined);
  t.equal(schedule.next, 100);
  schedule.woke(100);
  t.equal(schedule.begin(100), 100);
  // The access ends at 450: those of 200, 300 and 400 are late.
  t.same([schedule.begin(450), schedule.begin(460), schedule.begin(470)], [200, 300, 400]);
  t.equal(schedule.next, 500, 'then it waits again');
});

t.test('neither a late wakeup nor the time in another device counts', async (t) => {
  const late = new Schedule(0, 100, undefined);
  late.woke(160);
  t.equal(late.begin(160), 160);
  t.equal(late.next, 260);

  const holding = new Schedule(0, 100, { ns: 50, share: 0.25 });
  t.ok(holding.isHoldDue(0));
  holding.held(0, 150);
  t.equal(holding.begin(150), 150, 'the access of 100 could not start before');
  t.equal(holding.next, 250, 'the vCPU waited for 100 of these');
  // The access of 250 is late by 50 at 300; the hold does not add to that.
  holding.held(300, 350);
  t.equal(holding.begin(350), 300);
});

t.test('a thread that slept through holds makes up for them', async (t) => {
  const schedule = new Schedule(0, Number.POSITIVE_INFINITY, { ns: 5, share: 0.5 });
  schedule.woke(25);
  let now = 25;
  let holds = 0;
  while (schedule.isHoldDue(now)) {
    schedule.held(now, now + 5);
    now += 5;
    holds++;
  }
  t.same([holds, now, schedule.next], [6, 55, 60], 'half of the time');
});

t.test('at full speed there is always an access to make', async (t) => {
  const schedule = new Schedule(0, 0, { ns: 50, share: 0.5 }, 1);
  t.ok(schedule.next <= 0);
  t.notOk(schedule.isHoldDue(0), 'the vCPUs hold at different times');
  t.ok(schedule.isHoldDue(25));
  t.equal(schedule.begin(10), 10);
});
