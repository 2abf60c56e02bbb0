import t from 'tap';
import { SOURCE_PIT, SOURCE_RTC } from '../../../../src/core/devices/gsi/sources.js';
import { FSB_EN_CNF, INT_TYPE_CNF } from '../../../../src/core/devices/hpet/registers.js';
import { PRESET_NAMES } from '../../../../src/core/locking/presets.js';
import { classOfPreset } from '../../../../src/core/locking/verdicts.js';
import { BenchMachine } from '../../../support/bench-machine.js';
import { acknowledge, comparatorOf, fsbRouteOf, oneShot, turnOn } from '../../../support/hpet-registers.js';
import { outputs } from '../../../support/outputs.js';
import { writeEntry } from '../../../support/redirection-entry.js';

t.test('timers 0 and 1 take lines 0 and 8 whatever their route; timer 2 keeps its own', async (t) => {
  const bench = new BenchMachine();
  for (const timer of [0, 1, 2]) oneShot(bench, timer, 20 + timer, 100 + timer);
  turnOn(bench, true);
  bench.advance(2_000);
  const raised = bench.takeEvents().filter((event) => event.kind === 'line' && event.level === 1);
  t.same(
    raised.map((event) => event.kind === 'line' && event.gsi),
    [0, 8, 22],
  );
});

t.test('timer 0 interrupts on pin 2 of the IOAPIC', async (t) => {
  const bench = new BenchMachine();
  writeEntry(bench, 0, 0x30);
  writeEntry(bench, 2, 0x32);
  writeEntry(bench, 8, 0x38);
  oneShot(bench, 0, 20, 100);
  oneShot(bench, 1, 20, 200);
  turnOn(bench, true);
  bench.advance(2_000);
  t.same(outputs(bench, 'apic'), ['pin 2 vector 0x32 edge @1000', 'pin 8 vector 0x38 edge @2000']);
});

t.test('a level timer is acknowledged on its legacy line', async (t) => {
  const bench = new BenchMachine();
  oneShot(bench, 1, 20, 100, INT_TYPE_CNF);
  turnOn(bench, true);
  bench.advance(1_000);
  acknowledge(bench, 1);
  t.same(outputs(bench), ['line 8 = 1 @1000', 'line 8 = 0 @1000']);
});

t.test('the PIT and RTC reach lines 0 and 8 only while legacy replacement is off', async (t) => {
  const bench = new BenchMachine();
  for (const [source, line] of [
    [SOURCE_PIT, 0],
    [SOURCE_RTC, 8],
  ]) {
    bench.setLegacyInput(source, 1);
    bench.setLegacyInput(source, 0);
    t.same(outputs(bench), [`line ${line} = 1 @0`, `line ${line} = 0 @0`]);
  }
  turnOn(bench, true);
  for (const source of [SOURCE_PIT, SOURCE_RTC]) {
    bench.setLegacyInput(source, 1);
    bench.setLegacyInput(source, 0);
  }
  t.same(outputs(bench), []);
});

t.test('entering legacy replacement cuts inputs that are high off; leaving it connects them again', async (t) => {
  for (const profile of ['standard', 'qemu-11.1'] as const) {
    const bench = new BenchMachine({ profile });
    bench.setLegacyInput(SOURCE_PIT, 1);
    bench.setLegacyInput(SOURCE_RTC, 1);
    bench.takeEvents();
    // The HPET stays off: the reset comparators of `qemu-11.1` would interrupt.
    bench.writeHpet(0x010, 2);
    t.same(outputs(bench, 'line'), ['line 0 = 0 @0', 'line 8 = 0 @0'], profile);
    bench.writeHpet(0x010, 0);
    t.same(outputs(bench, 'line'), ['line 0 = 1 @0', 'line 8 = 1 @0'], profile);
  }
});

t.test('an input that changed meanwhile has its new level afterwards', async (t) => {
  const bench = new BenchMachine();
  bench.writeHpet(0x010, 2);
  bench.setLegacyInput(SOURCE_RTC, 1);
  t.same(outputs(bench), []);
  bench.writeHpet(0x010, 0);
  t.same(outputs(bench), ['line 8 = 1 @0']);
});

t.test('FSB delivery goes before legacy replacement', async (t) => {
  const bench = new BenchMachine({ hpet: { msi: true } });
  bench.writeHpet(fsbRouteOf(0), 0xfee0_0000_0000_0040n);
  oneShot(bench, 0, 20, 100, FSB_EN_CNF);
  turnOn(bench, true);
  bench.advance(1_000);
  t.same(outputs(bench), ['msi 0xfee00000 = 0x40 @1000']);
});

t.test(
  'a line that the PIT raises as legacy replacement ends is reported as the PIT’s, whatever other source released it',
  async (t) => {
    for (const locking of ['lockless-irq', 'deferred-revalidated'] as const) {
      // Under quirk `stale-line` a reset lowers timer 0's line whether it is high or not.
      const bench = new BenchMachine({ locking, profile: 'qemu-11.1' });
      turnOn(bench, true);
      bench.setLegacyInput(SOURCE_PIT, 1);
      bench.takeEvents();
      bench.reset();
      const emitted = bench.takeEvents().filter((event) => event.kind === 'line');
      t.match(emitted, [{ gsi: 0, level: 1, source: 'pit' }], locking);
    }
  },
);

/** Line 8 (or 0) as its events show it, while the HPET's timer and the other input both hold it. */
for (const [source, timer, line] of [
  [SOURCE_PIT, 0, 0],
  [SOURCE_RTC, 1, 8],
] as const) {
  t.test(
    `no false edge on line ${line}: legacy replacement ends with timer ${timer} pending and the input high`,
    async (t) => {
      for (const profile of ['standard', 'datasheet'] as const) {
        for (const locking of PRESET_NAMES.filter((name) => classOfPreset(name) === 'safe')) {
          const bench = new BenchMachine({ profile, locking });
          oneShot(bench, timer, 20, 100, INT_TYPE_CNF);
          bench.setLegacyInput(source, 1);
          turnOn(bench, true);
          bench.advance(5_000);
          bench.takeEvents();
          bench.writeHpet(0x010, 1);
          t.same(outputs(bench, 'line'), ['line 20 = 1 @5000'], `leaving, ${profile} under ${locking}`);
          bench.writeHpet(0x010, 3);
          t.same(outputs(bench, 'line'), ['line 20 = 0 @5000'], `entering, ${profile} under ${locking}`);
        }
      }
    },
  );
}

t.test('under qemu-11.1 line 8 takes the level of the RTC without an edge', async (t) => {
  const bench = new BenchMachine({ profile: 'qemu-11.1' });
  for (const other of [0, 2]) bench.writeHpet(comparatorOf(other), 1_000_000);
  oneShot(bench, 1, 20, 100, INT_TYPE_CNF);
  bench.setLegacyInput(SOURCE_RTC, 1);
  turnOn(bench, true);
  bench.advance(5_000);
  bench.takeEvents();
  bench.writeHpet(0x010, 1);
  t.same(outputs(bench, 'line'), []);
});
