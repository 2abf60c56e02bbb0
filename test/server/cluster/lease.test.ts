import t from 'tap';
import { Lease } from '../../../src/server/cluster/lease.js';
import type { ClusterStore } from '../../../src/server/cluster/store.js';

const TTL = 1000;

/** A lease whose clock and store the test moves. */
async function open() {
  const timers = new Set<{ readonly at: number; readonly work: () => void }>();
  const clock = {
    time: 5000,
    now: () => clock.time,
    after: (ms: number, work: () => void) => {
      const timer = { at: clock.time + ms, work };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  /** Writes that wait for an answer. */
  const pending: (() => void)[] = [];
  let revision = 0;
  const write = () => new Promise<number>((resolve) => pending.push(() => resolve(++revision)));
  const store = { create: write, update: write, delete: async () => {} } as unknown as ClusterStore;
  const shown: (number | undefined)[] = [];
  let lost = 0;
  const opening = Lease.open({
    store,
    clock,
    times: { ttl: TTL, margin: 200 },
    node: 'a',
    address: '',
    state: () => ({ draining: false, room: { machines: 1, load: 0 }, machines: 0 }),
    isWanted: () => true,
    shown: (until) => shown.push(until),
    lost: () => lost++,
  });
  pending.shift()?.();
  const lease = await opening;
  /** Runs the timers that are due, except those that the event loop has not come to. */
  const run = () => {
    for (const timer of [...timers]) if (timer.at <= clock.time && timers.delete(timer)) timer.work();
  };
  const settle = () => new Promise(setImmediate);
  return { clock, lease, pending, shown, run, settle, lost: () => lost };
}

t.test('threads see the end of the lease at each renewal, and its loss', async (t) => {
  const { clock, lease, pending, shown, run, settle, lost } = await open();
  t.strictSame(shown, [6000]);
  clock.time = 5250;
  run();
  clock.time = 5300;
  pending.shift()?.();
  await settle();
  t.strictSame(shown, [6000, 6250], 'it counts from before the renewal was sent');
  clock.time = 6250;
  run();
  t.equal(lost(), 1);
  t.strictSame(shown, [6000, 6250, undefined]);
  t.notOk(lease.isHeld);
});

t.test('an answer that comes when the lease has run out does not extend it', async (t) => {
  const { clock, lease, pending, shown, run, settle, lost } = await open();
  clock.time = 5250;
  run();
  // The event loop comes to the answer before the timer.
  clock.time = 6001;
  pending.shift()?.();
  await settle();
  t.notOk(lease.isHeld, 'what was refused meanwhile was refused for good');
  t.equal(lost(), 1);
  t.strictSame(shown, [6000, undefined]);
});

t.test('a lease that is closed in order is over for threads as well', async (t) => {
  const { lease, shown, lost } = await open();
  await lease.close();
  t.strictSame(shown, [6000, undefined]);
  t.equal(lost(), 0);
});
