import t from 'tap';
import { toMachineOptions } from '../../src/config/machine.js';
import { loadConfiguration } from '../../src/config/sources.js';
import { PROFILE_NAMES, PROFILES, QUIRK_NAMES, quirksOf } from '../../src/core/devices/quirks.js';
import { describeDesign, designOf, PRESET_NAMES, PRESETS } from '../../src/core/locking/presets.js';
import { classOfPreset, storedVerdict, verdictText } from '../../src/core/locking/verdicts.js';
import { set } from './load.js';

function options(...flags: [key: string, text: string][]) {
  const { configuration } = loadConfiguration({ flags: flags.map(([key, text]) => set(`machines.0.${key}`, text)) });
  return toMachineOptions(configuration.machines[0], 5);
}

t.test('the default machine', async (t) => {
  const { design, quirks, ...rest } = options();
  t.match(describeDesign(design), { preset: 'lockless-timer', class: 'safe' });
  t.strictSame(new Set(quirksOf(quirks)), new Set(PROFILES.standard));
  t.strictSame(rest, {
    slot: 5,
    clock: 'realtime',
    hpet: { timers: 3, msi: false, routingCapability: 0x00ff0104 },
    ioapic: { version: 0x20, id: 0 },
    locks: { mutex: 'barging', checkOrder: true, onDeadlock: 'break' },
    generationCheck: true,
    countOverlap: false,
    statistics: { slot: 0, exact: false },
    pic: true,
    vcpus: 8,
    xen: undefined,
    seqlock: 'short',
    load: { duty: 0, hold: 500_000, burn: false },
  });
});

t.test('every key reaches the machine', async (t) => {
  t.match(
    options(
      ['clock', 'manual'],
      ['hpet.timers', '24'],
      ['hpet.msi', 'true'],
      ['hpet.routingCapability', '0xF00000'],
      ['ioapic.version', '0x11'],
      ['ioapic.id', '15'],
      ['timer.generationCheck', 'false'],
      ['statistics', 'exact'],
      ['locks.mutex', 'ticket'],
      ['locks.checkOrder', 'false'],
      ['onDeadlock', 'hang'],
      ['pic', 'false'],
      ['seqlock', 'legacy'],
      ['bql.load.duty', '0.25'],
      ['bql.load.mode', 'burn'],
    ),
    {
      clock: 'manual',
      hpet: { timers: 24, msi: true, routingCapability: 0xf00000 },
      ioapic: { version: 0x11, id: 15 },
      locks: { mutex: 'ticket', checkOrder: false, onDeadlock: 'hang' },
      generationCheck: false,
      countOverlap: true,
      pic: false,
      seqlock: 'legacy',
      load: { duty: 250, hold: 500_000, burn: true },
    },
  );
});

t.test('presets by name, and designs by their four axes', async (t) => {
  for (const name of PRESET_NAMES) {
    const { mmio, timer, irq, control } = PRESETS[name];
    t.match(options(['locking', name]).design, { mmio, timer, irq, control }, name);
    const axes = { mmio: mmio.name, timer: timer.name, irq: irq.name, control: control.name };
    const { design } = options(['locking', JSON.stringify(axes)]);
    const verdict = verdictText(storedVerdict(name));
    t.strictSame(describeDesign(design), { ...axes, name, preset: name, class: classOfPreset(name), verdict });
  }
  const own = designOf({ mmio: 'bql', timer: 'device', irq: 'lockless', control: 'none' });
  t.match(describeDesign(own), { name: 'bql/device/lockless/none', preset: undefined, class: undefined });
});

t.test('single quirks override the profile', async (t) => {
  for (const profile of PROFILE_NAMES) {
    for (const quirk of QUIRK_NAMES) {
      const expected = new Set<string>(PROFILES[profile]);
      t.strictSame(new Set(quirksOf(options(['hpet.profile', profile]).quirks)), expected);
      const on = options(['hpet.profile', profile], [`hpet.quirks.${quirk}`, 'true']);
      t.strictSame(new Set(quirksOf(on.quirks)), new Set([...expected, quirk]), `${profile} with ${quirk}`);
      const off = options(['hpet.profile', profile], [`hpet.quirks.${quirk}`, 'false']);
      expected.delete(quirk);
      t.strictSame(new Set(quirksOf(off.quirks)), expected, `${profile} without ${quirk}`);
    }
  }
});
