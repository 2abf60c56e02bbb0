import t from 'tap';
import { Kicks } from '../../../src/core/machine/kicks.js';
import { BenchMachine } from '../../support/bench-machine.js';

/** Edge-triggered, periodic, of 10 µs, on GSI 4; the HPET is on. */
function periodic(): BenchMachine {
  const bench = new BenchMachine({ locking: 'kick-and-drain', profile: 'datasheet' });
  bench.writeHpet(0x100, (4 << 9) | 0x4c);
  bench.writeHpet(0x108, 1000);
  bench.writeHpet(0x10, 1);
  return bench;
}

t.test(
  'a round of the main loop amid a drained callback does not move a manual clock past the next match',
  async (t) => {
    const quiet = periodic();
    quiet.advance(100_000);
    const expected = quiet.takeEvents().map(({ virtualTime }) => virtualTime);
    t.equal(expected.length, 20, 'ten edges');

    const bench = periodic();
    const { take } = Kicks.prototype;
    t.teardown(() => {
      Kicks.prototype.take = take;
    });
    // Another vCPU's request makes the main loop run while the callback has left the queue and not armed its timer again.
    Kicks.prototype.take = function () {
      const taken = take.call(this);
      if (taken) bench.mainLoop.run();
      return taken;
    };
    bench.advance(100_000);
    t.same(
      bench.takeEvents().map(({ virtualTime }) => virtualTime),
      expected,
    );
  },
);
