import t from 'tap';
import { HPET_BASE } from '../../../../src/core/devices/guest-map.js';
import { MAIN_COUNTER, MODE32_CNF, TYPE_CNF, VAL_SET_CNF } from '../../../../src/core/devices/hpet/registers.js';
import type { Quirk } from '../../../../src/core/devices/quirks.js';
import { U64 } from '../../../../src/core/memory/u64.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { comparatorOf, configurationOf, routed, turnOff, turnOn } from '../../../support/hpet-registers.js';
import { raises } from '../../../support/outputs.js';

/** A machine whose counter is at 1,000 + `counter`, with a 32-bit timer 2 that was never written. */
function running(quirks: readonly Quirk[], counter = 0n, flags = 0): BenchMachine {
  const bench = new BenchMachine({ quirks });
  bench.writeHpet(configurationOf(2), routed(11) | MODE32_CNF | flags);
  bench.writeHpet(MAIN_COUNTER, counter);
  turnOn(bench);
  bench.advance(10_000);
  bench.takeEvents();
  return bench;
}

for (const [quirks, state, fired] of [
  [['past-fires-32', 'one-shot-32-once'], 'on', [10_000]],
  [['one-shot-32-once'], 'off', []],
] as const) {
  t.test(`past-fires-32 ${state}: a comparator that the counter has just passed when it is written`, async (t) => {
    for (const behind of [1, 2, 1_000, 0x7fff_ffff]) {
      const bench = running(quirks, 0x1_8000_0000n);
      bench.writeHpet(comparatorOf(2), (0x8000_03e8 - behind) >>> 0, 4);
      bench.advance(1_000_000);
      t.same(raises(bench), fired, `${behind} ticks behind`);
    }
  });
}

t.test(
  'past-fires-32 on: a comparator ahead, or at the present tick, is met when the counter gets there',
  async (t) => {
    const bench = running(['past-fires-32', 'one-shot-32-once']);
    bench.writeHpet(comparatorOf(2), 1_001);
    bench.advance(1_000_000);
    t.same(raises(bench), [10_010]);
    const far = running(['past-fires-32', 'one-shot-32-once'], 0x8000_0000n);
    far.writeHpet(comparatorOf(2), 0x3e8);
    far.advance(1_000_000);
    t.same(raises(far), [], '2^31 ticks');
  },
);

t.test('past-fires-32 on: it wraps below 0', async (t) => {
  const bench = running(['past-fires-32', 'one-shot-32-once']);
  bench.writeHpet(comparatorOf(2), 0xffff_ffff);
  bench.advance(1_000_000);
  t.same(raises(bench), [10_000]);
});

t.test('past-fires-32 on: it fires once, whatever is written to the configuration or the HPET after it', async (t) => {
  const bench = running(['past-fires-32', 'one-shot-32-once']);
  bench.writeHpet(comparatorOf(2), 999);
  bench.writeHpet(configurationOf(2), routed(11) | MODE32_CNF);
  turnOff(bench);
  turnOn(bench);
  bench.advance(43_000_000_000);
  t.same(raises(bench), [10_000]);
});

t.test('past-fires-32 on: a late callback is made up for by the next access to the timer', async (t) => {
  const bench = new BenchMachine({ quirks: ['past-fires-32', 'one-shot-32-once'], lateMainLoop: true });
  bench.writeHpet = (offset, value) => {
    bench.machine.write(HPET_BASE + offset, 8, new U64().setBigInt(BigInt(value)));
  };
  bench.writeHpet(configurationOf(2), routed(11) | MODE32_CNF);
  bench.writeHpet(MAIN_COUNTER, 1_000);
  turnOn(bench);
  bench.writeHpet(comparatorOf(2), 999);
  t.same(raises(bench), []);
  bench.writeHpet(configurationOf(2), routed(12) | MODE32_CNF);
  t.same(raises(bench), [0]);
  bench.mainLoop.run();
  t.same(raises(bench), []);
});

t.test('past-fires-32 on: configuration writes, enabling, and the reset value do not fire', async (t) => {
  const bench = running(['past-fires-32', 'one-shot-32-once'], 0x1_8000_0000n);
  bench.writeHpet(configurationOf(2), routed(11) | MODE32_CNF);
  turnOff(bench);
  bench.writeHpet(comparatorOf(2), 5);
  turnOn(bench);
  bench.advance(1_000_000);
  t.same(raises(bench), []);
});

t.test('past-fires-32 on: the start value of a periodic timer fires, its period does not', async (t) => {
  const bench = running(['past-fires-32'], 0n, TYPE_CNF);
  bench.writeHpet(configurationOf(2), routed(11) | MODE32_CNF | TYPE_CNF | VAL_SET_CNF);
  bench.writeHpet(comparatorOf(2), 900);
  t.same(raises(bench), [10_000]);
  bench.writeHpet(comparatorOf(2), 500);
  t.same(raises(bench), []);
});

t.test('past-fires-32: the default profile has it, and datasheet and QEMU wait for the wrap', async (t) => {
  for (const [profile, fired] of [
    ['standard', 1],
    ['datasheet', 0],
    ['qemu-11.1', 0],
  ] as const) {
    const bench = new BenchMachine({ profile });
    for (const timer of [0, 1, 2]) bench.writeHpet(configurationOf(timer), MODE32_CNF);
    bench.writeHpet(0x10, 1);
    bench.advance(10_000);
    bench.writeHpet(0x100, 0x2104);
    bench.takeEvents();
    bench.writeHpet(0x108, 999);
    t.equal(raises(bench).length, fired, profile);
  }
});
