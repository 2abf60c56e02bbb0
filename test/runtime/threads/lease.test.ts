import t, { type Test } from 'tap';
import { HPET_BASE } from '../../../src/core/devices/guest-map.js';
import * as R from '../../../src/core/devices/hpet/registers.js';
import { PROFILES, quirkBits } from '../../../src/core/devices/quirks.js';
import { PRESET_NAMES, PRESETS, type PresetName } from '../../../src/core/locking/presets.js';
import type { ClockMode } from '../../../src/core/machine/clock.js';
import { CONTROL_PAUSE, CONTROL_RESUME } from '../../../src/core/machine/control-path.js';
import { VIEW_HPET } from '../../../src/core/machine/view.js';
import { Engine } from '../../../src/runtime/engine.js';
import { Request } from '../../../src/runtime/rings/requests.js';
import * as ring from '../../../src/runtime/rings/submission-ring.js';
import { BootClock } from '../../../src/runtime/threads/boot-clock.js';
import { comparatorOf, configurationOf, routed } from '../../support/hpet-registers.js';
import { tier } from '../../support/tier.js';

const LOCKING: readonly PresetName[] = tier.replayDesigns === 'all' ? PRESET_NAMES : ['bql', 'kick-and-drain'];

const HOUR = 3_600_000;
const SLOTS = { realtime: 0, manual: 1 } as const;

async function start(t: Test, execution: 'auto' | 'threads', preset: PresetName) {
  const engine = new Engine({ vcpuThreads: 1, machines: 2, execution });
  await engine.start();
  t.teardown(() => engine.close());
  const events: string[] = [];
  for (const clock of ['realtime', 'manual'] as const) {
    const slot = SLOTS[clock];
    engine.slot(slot).create(
      {
        slot,
        design: PRESETS[preset],
        clock,
        hpet: { timers: 3, msi: false, routingCapability: 0x00ff_0104 },
        ioapic: { version: 0x20, id: 0 },
        quirks: quirkBits(PROFILES.standard),
        generationCheck: true,
        countOverlap: false,
      },
      () => events.push(clock),
    );
  }
  const ask = (clock: ClockMode, operation: number, address: number, low = 0): Promise<Request> =>
    new Promise((done) =>
      engine.slot(SLOTS[clock]).perform(new Request(SLOTS[clock], 0, operation, 8, address, low, 0, done)),
    );
  const write = async (clock: ClockMode, offset: number, value: number) =>
    (await ask(clock, ring.WRITE, HPET_BASE + offset, value)).status;
  return { engine, events, ask, write };
}

const clock = new BootClock();

for (const execution of ['auto', 'threads'] as const) {
  for (const preset of LOCKING) {
    t.test(`${preset}, ${execution}: without a lease nothing is executed`, async (t) => {
      const { engine, events, ask, write } = await start(t, execution, preset);
      t.equal(await write('realtime', comparatorOf(1), 5), ring.OK, 'there is no cluster');
      engine.lease(clock.now() + HOUR);
      for (const clock of ['realtime', 'manual'] as const) {
        await engine.slot(SLOTS[clock]).control(CONTROL_PAUSE);
        t.equal(await write(clock, configurationOf(0), routed(8)), ring.OK);
        t.equal(await write(clock, R.GENERAL_CONFIGURATION, R.ENABLE_CNF), ring.OK);
        // Due as soon as the clock goes on.
        t.equal(await write(clock, comparatorOf(0), 1), ring.OK);
      }

      engine.lease(clock.now() - 1);
      for (const clock of ['realtime', 'manual'] as const) {
        await engine.slot(SLOTS[clock]).control(CONTROL_RESUME);
        t.equal(await write(clock, comparatorOf(1), 77), ring.NO_LEASE);
        t.equal((await ask(clock, ring.READ, HPET_BASE + comparatorOf(1))).status, ring.NO_LEASE);
        t.equal((await ask(clock, ring.SET_LINE, 3, 1)).status, ring.NO_LEASE);
      }
      t.equal((await ask('manual', ring.STEP, 1_000_000)).status, ring.NO_LEASE);
      const slot = engine.slot(SLOTS.realtime);
      for (const begin = slot.virtualTime; slot.virtualTime <= begin + 1_000_000; ) await engine.round();
      await engine.round();
      t.strictSame(events, [], 'no timer fired');
      t.ok(await slot.view(VIEW_HPET, () => true), 'views are possible');

      engine.lease(clock.now() + HOUR);
      t.not((await ask('realtime', ring.READ, HPET_BASE + comparatorOf(1))).low, 77);
      t.equal((await ask('manual', ring.STEP, 1_000_000)).status, ring.OK);
      while (!events.includes('realtime')) await engine.round();
      t.ok(events.includes('manual'), 'what was due runs with the next lease');
      engine.lease(undefined);
      t.equal(await write('realtime', comparatorOf(1), 78), ring.NO_LEASE, 'the lease is closed');
    });
  }
}
