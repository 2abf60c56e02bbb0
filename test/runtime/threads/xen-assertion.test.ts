import t from 'tap';
import { INTERRUPT_STATUS, MAIN_COUNTER, TIMER_BLOCKS } from '../../../src/core/devices/hpet/registers.js';
import { PRESETS, type PresetName } from '../../../src/core/locking/presets.js';
import { LOCK_COUNT } from '../../../src/core/sync/lock-names.js';
import * as ring from '../../../src/runtime/rings/submission-ring.js';
import { LiveMachine } from '../../support/live-machine.js';

const GSI = 20;
const ENABLED_LEVEL = (GSI << 9) | (1 << 2) | (1 << 1);
const FAILED = { message: new RegExp(`status ${ring.FAILED}$`) };

function start(locking: PresetName): Promise<LiveMachine> {
  const xen = { form: 'flag+assert', gsi: GSI } as const;
  return LiveMachine.start(PRESETS[locking], 2, () => {}, { clock: 'manual', xen });
}

const setCallback = (machine: LiveMachine, level: number) => machine.call(0, ring.XEN_CALLBACK, 0, 0, level);

/** Lets the callback of a level timer on the filter's GSI come due on the main loop. */
async function expire(machine: LiveMachine): Promise<void> {
  await machine.writeHpet(0, TIMER_BLOCKS, ENABLED_LEVEL);
  await machine.writeHpet(0, TIMER_BLOCKS + 8, 10);
  await machine.writeHpet(0, 0x10, 1);
  await machine.call(0, ring.STEP, 0, 1000);
}

for (const locking of ['lockless-irq', 'lockless-timer+irq', 'kick-and-drain', 'try-queue'] as const) {
  t.test(`${locking}: assertions fail, and nothing hangs`, async (t) => {
    const machine = await start(locking);
    t.equal(machine.engine.slot(0).xen()?.failures, undefined);
    await t.rejects(setCallback(machine, 1), FAILED, 'the callback');
    await t.rejects(machine.setLine(1, GSI, 1), FAILED, 'an external level');
    t.match(machine.engine.slot(0).xen(), { form: 'flag+assert', gsi: GSI, failures: { count: 2 } });
    await expire(machine);
    // Only with the big lock kept around the callback does the timer's own path hold it.
    const held = locking === 'lockless-irq';
    t.match(machine.engine.slot(0).xen(), { failures: { count: held ? 2 : 3 } }, 'a timer callback');
    await machine.writeHpet(1, TIMER_BLOCKS, ENABLED_LEVEL & ~(1 << 2));
    await t.rejects(machine.writeHpet(1, TIMER_BLOCKS, ENABLED_LEVEL), FAILED, 'a register write that raises the line');
    const locks = machine.locks.state(0);
    t.equal(locks.length, LOCK_COUNT);
    t.same(
      locks.filter(({ owner, waiters }) => owner || waiters.length),
      [],
      'no lock is held',
    );
    t.equal(machine.counts().overlapped, 0, 'nobody counts as inside a device');
    await machine.setLine(0, 19, 1);
    await machine.close();
  });
}

t.test('a write that fails in the middle lets the readers of the main counter go', async (t) => {
  const options = { clock: 'manual', seqlock: 'legacy', xen: { form: 'flag+assert', gsi: GSI } } as const;
  const machine = await LiveMachine.start(PRESETS['lockless-irq'], 2, () => {}, options);
  await machine.writeHpet(0, TIMER_BLOCKS, ENABLED_LEVEL);
  await machine.writeHpet(0, TIMER_BLOCKS + 8, 10);
  await machine.writeHpet(0, 0x10, 1);
  // Pending and high, the line goes low when the HPET is turned off: inside the counter's write section.
  await machine.call(0, ring.STEP, 0, 1000);
  await t.rejects(machine.writeHpet(0, 0x10, 0), FAILED);
  t.equal(await machine.readHpet(1, MAIN_COUNTER), 100);
  await machine.close();
});

t.test('bql: none fails', async (t) => {
  const machine = await start('bql');
  await setCallback(machine, 1);
  await machine.setLine(1, GSI, 1);
  await expire(machine);
  await machine.writeHpet(1, INTERRUPT_STATUS, 1);
  t.match(machine.engine.slot(0).xen(), { failures: undefined });
  await machine.close();
});
