import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';

/** The module as a browser would load it. */
async function loadPoller() {
  const document = { hidden: false, addEventListener: () => {} };
  Object.assign(globalThis, { document });
  const { Poller } = await import(new URL('../../../web/js/kit/poller.js', import.meta.url).href);
  return Poller as new (
    work: () => Promise<void>,
    interval: number,
  ) => { start(): void; stop(): void };
}

t.test('a poller waits longer after each failure, up to 8 s, and recovers at the first success', async (t) => {
  const Poller = await loadPoller();
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  let rounds = 0;
  let isAway = false;
  const poller = new Poller(async () => {
    rounds++;
    if (isAway) throw new Error('away');
  }, 50);
  /** Milliseconds until the next round begins, in steps of 50. */
  const untilNext = async () => {
    const before = rounds;
    for (let ms = 50; ; ms += 50) {
      mock.timers.tick(50);
      await turn();
      if (rounds > before) return ms;
    }
  };
  poller.start();
  await turn();
  t.equal(await untilNext(), 50);
  isAway = true;
  await untilNext();
  const waits: number[] = [];
  for (let round = 0; round < 7; round++) waits.push(await untilNext());
  t.same(waits, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
  isAway = false;
  await untilNext();
  t.equal(await untilNext(), 50);
  poller.stop();
});
