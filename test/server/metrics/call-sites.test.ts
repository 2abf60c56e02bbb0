import t from 'tap';
import {
  GENERAL_CONFIGURATION,
  INTERRUPT_STATUS,
  MAIN_COUNTER,
  TIMER_BLOCKS,
} from '../../../src/core/devices/hpet/registers.js';
import { PRESETS } from '../../../src/core/locking/presets.js';
import { unpackEvent } from '../../../src/core/machine/events.js';
import { LOAD_THREAD } from '../../../src/runtime/memory/shared-map.js';
import { NESTED_WAIT } from '../../../src/runtime/memory/statistics-layout.js';
import type { LockRow } from '../../../src/runtime/statistics/slot-totals.js';
import { LiveMachine } from '../../support/live-machine.js';

const SLOT = 0;
/** The load thread holds the BQL nearly all the time, asleep. */
const LOAD = { duty: 900, hold: 20_000_000, burn: false };
const LINE = 20;

function rowOf(machine: LiveMachine, lock: string, site: string): LockRow | undefined {
  return machine.engine.statistics.locks(SLOT).find((row) => row.lock === lock && row.site === site);
}

/** Call sites at which a thread ever waited for a lock, as `lock at site`. */
function contended(machine: LiveMachine): string[] {
  const rows = machine.engine.statistics.locks(SLOT).filter((row) => row.contended > 0);
  return rows.map(({ lock, site }) => `${lock} at ${site}`);
}

t.test('under the big lock a read waits at its own call site, for a hold', async (t) => {
  const machine = await LiveMachine.start(PRESETS.bql, 1);
  t.teardown(() => machine.close());
  machine.loadBql(LOAD);
  // A read that comes between two holds does not wait, or only for the main loop; a hold is the longest wait by far.
  let reads = 0;
  let row: LockRow | undefined;
  do {
    await machine.readHpet(0, MAIN_COUNTER);
    reads++;
    row = rowOf(machine, 'bql', 'mmio-read');
  } while (row?.longestWait?.thread !== LOAD_THREAD);
  t.equal(row.acquired, reads);
  t.equal(row.wait.count, row.contended, 'every wait is timed');
  t.ok(row.wait.sum > 0);
  t.match(row.longestWait, { thread: LOAD_THREAD, site: 'main-loop' }, 'the row names the holder');
  t.ok((row.longestWait?.duration ?? 0) <= row.wait.sum);
  const others = contended(machine).filter((place) => place !== 'bql at main-loop');
  t.same(others, ['bql at mmio-read'], 'nobody waited anywhere else');
  t.equal(rowOf(machine, 'device', 'mmio-read'), undefined, 'there is no mutex in this design');
});

t.test('where the device mutex is held, the wait for the big lock is a nested one', async (t) => {
  let rose = () => {};
  const machine = await LiveMachine.start(PRESETS['lockless-timer'], 1, (event) => {
    const content = unpackEvent(event);
    if (content.kind === 'line' && content.level === 1) rose();
  });
  t.teardown(() => machine.close());
  await machine.writeHpet(0, TIMER_BLOCKS, (LINE << 9) | (1 << 2) | (1 << 1));
  await machine.writeHpet(0, GENERAL_CONFIGURATION, 1);
  const nested = () => machine.engine.statistics.durations(SLOT, NESTED_WAIT);
  t.equal(nested().count, 0);
  machine.loadBql(LOAD);
  do {
    const risen = new Promise<void>((resolve) => {
      rose = resolve;
    });
    await machine.writeHpet(0, TIMER_BLOCKS + 8, await machine.readHpet(0, MAIN_COUNTER));
    await risen;
    await machine.writeHpet(0, INTERRUPT_STATUS, 1);
  } while (rowOf(machine, 'bql', 'irq-update')?.longestWait?.thread !== LOAD_THREAD);
  t.ok(nested().count >= 1);
  t.equal(rowOf(machine, 'bql', 'mmio-read'), undefined, 'a main counter read takes no lock');
  t.equal(rowOf(machine, 'device', 'mmio-read'), undefined);
});

for (const [statistics, exact] of Object.entries({ default: false, exact: true })) {
  t.test(`${statistics} statistics: which holds are timed`, async (t) => {
    const options = { statistics: { slot: SLOT, exact }, countOverlap: false };
    const machine = await LiveMachine.start(PRESETS['lockless-timer'], 1, () => {}, options);
    t.teardown(() => machine.close());
    for (let i = 0; i < 128; i++) await machine.readHpet(0, GENERAL_CONFIGURATION);
    const row = rowOf(machine, 'device', 'mmio-read');
    t.match(row, { acquired: 128, contended: 0, tryFailed: 0, longestWait: undefined });
    t.equal(row?.hold.count, exact ? 128 : 2);
    t.equal(row?.wait.count, 0, 'nobody waited');
  });
}
