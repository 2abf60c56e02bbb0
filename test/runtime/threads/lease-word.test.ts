import t from 'tap';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import { BootClock } from '../../../src/runtime/threads/boot-clock.js';
import { LeaseWord } from '../../../src/runtime/threads/lease-word.js';
import fc from '../../support/properties.js';

/** ms by which the word may end a lease too early. */
const COARSE = 30;

function wordAt(now: number) {
  const clock = { time: now, now: () => clock.time };
  return { clock, word: new LeaseWord(SharedMemory.ofWords(16), 0, clock) };
}

t.test('without a lease, threads may act, and read no clock', async (t) => {
  const clock = {
    now: () => {
      throw new Error('reads the clock');
    },
  };
  t.ok(new LeaseWord(SharedMemory.ofWords(16), 0, clock).isHeld);
});

t.test('a lease holds before its deadline, and not from then on', async () => {
  // Uptimes of up to three years, and stops of up to half a year.
  const start = fc.oneof(fc.integer({ min: 0, max: 100_000 }), fc.double({ min: 0, max: 1e11, noNaN: true }));
  const ttl = fc.integer({ min: 0, max: 100_000 });
  const passed = fc.oneof(ttl, fc.integer({ min: 0, max: 15_000_000_000 }));
  fc.assert(
    fc.property(start, ttl, passed, (start, ttl, passed) => {
      const { clock, word } = wordAt(start);
      word.hold(start + ttl);
      clock.time += passed;
      if (clock.time >= start + ttl) return !word.isHeld;
      return clock.time >= start + ttl - COARSE || word.isHeld;
    }),
    { numRuns: 2_000 },
  );
});

t.test('the values that mean something else are no deadlines', async (t) => {
  for (const turn of [0, 2 ** 32]) {
    for (let unit = turn + 1; unit > turn - 4; unit--) {
      const { word, clock } = wordAt(unit * 10 + 40);
      word.hold(unit * 10);
      t.notOk(word.isHeld, 'a deadline that is past');
      clock.time -= 1000;
      t.ok(word.isHeld, 'a deadline to come');
    }
  }
});

t.test('a renewal reports that the lease before had run out', async (t) => {
  const { clock, word } = wordAt(5000);
  t.notOk(word.hold(6000), 'there was none before');
  t.notOk(word.hold(7000), 'in time');
  clock.time = 7001;
  t.ok(word.hold(9000));
  word.expire();
  t.notOk(word.isHeld);
  t.ok(word.hold(9000));
  t.ok(word.isHeld);
});

t.test('the clock goes on in a suspend, never goes back, and reads the slow clock rarely', async () => {
  const step = fc.record({
    kind: fc.constantFrom('run', 'suspend', 'set'),
    ms: fc.integer({ min: 1, max: 1_000_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const [host, jumps] = [{ monotonic: 1000, wall: 1e12, boot: 4000 }, { count: 0 }];
      let readings = 0;
      const clock = new BootClock(
        () => host.monotonic,
        () => host.wall,
        () => {
          readings++;
          return host.boot;
        },
      );
      let before = clock.now();
      for (const { kind, ms } of steps) {
        if (kind === 'set') host.wall -= ms;
        else host.wall += ms;
        if (kind === 'run') host.monotonic += ms;
        if (kind !== 'set') host.boot += ms;
        if (kind !== 'run') jumps.count++;
        const now = clock.now();
        // Short suspends add up until one is noticed, but the difference never exceeds the shortest that is.
        if (now < before || now > host.boot || now <= host.boot - 20) return false;
        before = now;
      }
      return readings <= 1 + jumps.count;
    }),
  );
});
