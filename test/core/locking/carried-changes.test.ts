import t from 'tap';
import { HPET_BASE } from '../../../src/core/devices/guest-map.js';
import type { Profile } from '../../../src/core/devices/quirks.js';
import { PRESET_NAMES, type PresetName } from '../../../src/core/locking/presets.js';
import { classOfPreset } from '../../../src/core/locking/verdicts.js';
import { U64 } from '../../../src/core/memory/u64.js';
import { MASTER, PicBench } from '../../support/pic-bench.js';
import { lowOf, writeEntry } from '../../support/redirection-entry.js';

const LEVEL_ENABLED = 0x06;
const REMOTE_IRR = 1 << 14;
const ROUTE = 5;

/** Timer 0 is due, and its callback late, when the HPET is turned off: its line rises and falls in that access. */
function disableWhenDue(locking: PresetName, profile: Profile, trigger: number): PicBench {
  const bench = new PicBench({ locking, profile, lateMainLoop: true });
  const write = (offset: number, value: number) =>
    bench.machine.write(HPET_BASE + offset, 8, new U64().setBigInt(BigInt(value)));
  for (const other of [1, 2]) write(0x108 + 0x20 * other, 1_000_000);
  bench.machine.portWrite(MASTER + 1, 0x00);
  writeEntry(bench, ROUTE, trigger | 0x45);
  write(0x100, (ROUTE << 9) | LEVEL_ENABLED);
  write(0x108, 100);
  write(0x10, 1);
  bench.machine.clock.moveTo(2_000);
  bench.takeEvents();
  write(0x10, 0);
  return bench;
}

const SAFE = PRESET_NAMES.filter((name) => classOfPreset(name) === 'safe');
t.ok(SAFE.includes('deferred-revalidated'));

for (const locking of SAFE) {
  t.test(`${locking}: a level that rises and falls within one access is latched`, async (t) => {
    for (const profile of ['standard', 'datasheet', 'qemu-11.1'] as const) {
      for (const trigger of [0, 0x8000]) {
        const bench = disableWhenDue(locking, profile, trigger);
        const text = `${profile}, entry 0x${trigger.toString(16)}`;
        const messages = bench.takeEvents().filter((event) => event.kind === 'apic');
        t.match(messages, [{ pin: ROUTE, vector: 0x45 }], text);
        t.equal(messages.length, 1, text);
        t.equal(bench.machine.chipset.router.level(ROUTE), 0, `the line is low, ${text}`);
        t.equal(bench.readIoapic(lowOf(ROUTE)) & REMOTE_IRR, trigger ? REMOTE_IRR : 0, `remote IRR, ${text}`);
        if (profile === 'qemu-11.1') t.equal(bench.irr(MASTER) & (1 << ROUTE), 1 << ROUTE, `8259, ${text}`);
      }
    }
  });

  t.test(`${locking}: so is the rise of line 0 that entering legacy replacement lowers, under qemu-11.1`, async (t) => {
    const bench = new PicBench({ locking, profile: 'qemu-11.1' });
    for (const other of [1, 2]) bench.writeHpet(0x108 + 0x20 * other, 1_000_000);
    bench.writeHpet(0x100, LEVEL_ENABLED);
    bench.writeHpet(0x108, 100);
    bench.writeHpet(0x10, 1);
    bench.advance(1_000);
    bench.writeHpet(0x10, 0);
    bench.writeHpet(0x0f0, 0);
    bench.initialise();
    writeEntry(bench, 2, 0x8042);
    bench.takeEvents();
    bench.writeHpet(0x10, 3);
    const messages = bench.takeEvents().filter((event) => event.kind === 'apic');
    t.match(messages, [{ pin: 2, vector: 0x42 }]);
    t.equal(bench.readIoapic(lowOf(2)) & REMOTE_IRR, REMOTE_IRR);
    t.equal(bench.irr(MASTER) & 1, 1);
  });
}
