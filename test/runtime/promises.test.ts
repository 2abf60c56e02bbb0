import t from 'tap';
import { within } from '../../src/runtime/promises.js';

const NEVER = new Promise<never>(() => {});
const LONG = 60_000;

/** Timers that keep this process alive. */
const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

t.test('a promise that settles in time decides, and leaves no timer', async (t) => {
  const before = timers();
  t.equal(await within(LONG, Promise.resolve('kept'), 'late'), 'kept');
  await t.rejects(within(LONG, Promise.reject(new Error('broken')), 'late'), { message: 'broken' });
  t.equal(timers(), before);
});

t.test('a promise that stays pending is late, and may reject afterwards', async (t) => {
  t.equal(await within(0, NEVER, 'late'), 'late');
  let reject = (_: Error) => {};
  const pending = new Promise<never>((_, refuse) => {
    reject = refuse;
  });
  t.equal(await within(0, pending, undefined), undefined);
  // An unhandled rejection would fail this test.
  reject(new Error('too late'));
  await new Promise(setImmediate);
});
