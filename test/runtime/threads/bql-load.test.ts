import t from 'tap';
import { HPET_BASE } from '../../../src/core/devices/guest-map.js';
import { GENERAL_CONFIGURATION } from '../../../src/core/devices/hpet/registers.js';
import { PROFILES, quirkBits } from '../../../src/core/devices/quirks.js';
import { PRESET_NAMES, PRESETS, type PresetName } from '../../../src/core/locking/presets.js';
import type { ClockMode } from '../../../src/core/machine/clock.js';
import { CONTROL_RESET } from '../../../src/core/machine/control-path.js';
import { Machine, type MachineOptions } from '../../../src/core/machine/machine.js';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import { U64 } from '../../../src/core/memory/u64.js';
import { NO_STATISTICS } from '../../../src/core/sync/statistics.js';
import { Thread } from '../../../src/core/sync/thread.js';
import { Engine, type ThreadDeath } from '../../../src/runtime/engine.js';
import {
  GATEWAY_THREAD,
  LOAD_THREAD,
  MAIN_LOOP_THREAD,
  machineAt,
  sharedMap,
} from '../../../src/runtime/memory/shared-map.js';
import { ThreadHost } from '../../../src/runtime/threads/host.js';
import { LoadThread } from '../../../src/runtime/threads/load-thread.js';
import { MainLoop } from '../../../src/runtime/threads/main-loop.js';
import { comparatorOf, configurationOf, routed } from '../../support/hpet-registers.js';

const LOADED = 0;
const VICTIM = 1;
const PERIODIC_VAL_SET = 0x48;
const HOLD_NS = 1_000_000_000;
const LOAD = { duty: 950, hold: HOLD_NS, burn: false };
/** Deadlines of another machine that come during one hold. */
const DEADLINES = 200;

function optionsOf(slot: number, locking: PresetName, clock: ClockMode = 'realtime'): MachineOptions {
  return {
    slot,
    design: PRESETS[locking],
    clock,
    hpet: { timers: 3, msi: false, routingCapability: 0x00ff_ffff },
    ioapic: { version: 0x20, id: 0 },
    quirks: quirkBits(PROFILES.standard),
    generationCheck: true,
    countOverlap: false,
    locks: { onDeadlock: 'hang' },
    ...(slot === LOADED ? { load: LOAD } : {}),
  };
}

/** The main loop and the load thread on one thread, with a host clock of their own. `during` runs in each hold. */
function fixture(locking: PresetName, clock: ClockMode) {
  const map = sharedMap({ machines: 2, vcpuThreads: 1, submissions: 16, events: 65_536, statisticsSlots: 1 });
  const buffer = new SharedArrayBuffer(map.words * 4);
  const time = { now: 1_000 };
  const holds = { during: () => {} };
  class ClockedMemory extends SharedMemory {
    override hostTime(): number {
      return time.now;
    }
    override wait(_address: number, _expected: number, _timeout?: number): void {
      throw new Error('a thread waits');
    }
  }
  class HoldingMemory extends ClockedMemory {
    override wait(_address: number, _expected: number, timeout?: number): void {
      if (timeout !== HOLD_NS) throw new Error('the load thread waits');
      const end = time.now + timeout;
      holds.during();
      time.now = end;
    }
  }
  const callbacks = [0, 0];
  const shared = new ClockedMemory(buffer);
  const callbackBegins = () => {
    callbacks[mainLoop.machine.chipset.slot]++;
  };
  const mainLoop: MainLoop = new MainLoop(
    new Thread(MAIN_LOOP_THREAD, shared, { ...NO_STATISTICS, callbackBegins }),
    new ClockedMemory(buffer),
    map,
  );
  const load = new LoadThread(new Thread(LOAD_THREAD, shared, NO_STATISTICS), new HoldingMemory(buffer), map);
  const host = new ThreadHost(shared, map, false);
  const view = new Machine(new ClockedMemory(buffer), new Thread(GATEWAY_THREAD, shared, NO_STATISTICS), host);
  const { due } = view;
  for (const slot of [LOADED, VICTIM]) {
    view.create(machineAt(map, slot), optionsOf(slot, locking, slot === LOADED ? clock : 'realtime'));
    const write = (offset: number, value: number) => view.write(HPET_BASE + offset, 8, new U64().setNumber(value));
    write(configurationOf(0), routed(0) | PERIODIC_VAL_SET);
    write(comparatorOf(0), 1_000);
    write(GENERAL_CONFIGURATION, 1);
    host.kickMainLoop(slot);
    host.kickLoad(slot);
  }
  const select = (slot: number) => {
    view.select(machineAt(map, slot));
    return due;
  };
  const round = () => {
    mainLoop.answerRound();
    mainLoop.runKicked();
    mainLoop.runDue();
    host.events.drain(65_536, () => {});
  };
  return { load, callbacks, time, holds, host, view, select, round, shared, map };
}

for (const clock of ['realtime', 'manual'] as const) {
  t.test(`${clock}: deadlines, rounds and control work of another machine come during one hold`, (t) => {
    for (const locking of PRESET_NAMES) {
      const { load, callbacks, time, holds, view, select, round, shared, map } = fixture(locking, clock);
      // The main loop has the turn first.
      round();
      const before = [...callbacks];
      let held = 0;
      let controlled = false;
      holds.during = () => {
        held++;
        select(LOADED).requestControl(CONTROL_RESET);
        for (let n = 0; n < DEADLINES; n++) {
          time.now += 10_000;
          if (n === DEADLINES / 2) {
            select(VICTIM).requestControl(CONTROL_RESET);
            shared.add(map.roundsWanted, 1);
          }
          round();
          // As a vCPU thread does with `timer: kick`.
          select(VICTIM).drainKicks();
          if (select(VICTIM).control.takeDone()) {
            controlled = true;
            select(VICTIM);
            view.write(HPET_BASE + configurationOf(0), 8, new U64().setNumber(routed(0) | PERIODIC_VAL_SET));
            view.write(HPET_BASE + comparatorOf(0), 8, new U64().setNumber(1_000));
            view.write(HPET_BASE + GENERAL_CONFIGURATION, 8, new U64().setNumber(1));
          }
        }
        t.equal(shared.load(map.roundsDone), shared.load(map.roundsWanted), `${locking}: rounds are complete`);
        t.equal(callbacks[LOADED], before[LOADED], 'the machine with the hold waits');
        t.notOk(select(LOADED).control.isDone);
      };
      load.runKicked();
      load.runDue();
      t.equal(held, 1, 'there was one hold');
      t.ok(controlled, 'control work of the other machine is complete');
      t.ok(callbacks[VICTIM] - before[VICTIM] >= DEADLINES / 2, `${callbacks[VICTIM]} deadlines of the other machine`);
      // The load thread has kicked the main loop.
      round();
      t.ok(select(LOADED).control.takeDone(), 'then control work of the machine is complete');
      t.equal(load.deadlines.earliest, 1_000 + (HOLD_NS * 1000) / 950, 'the next hold keeps the share');
    }
    t.end();
  });
}

/** An engine with one vCPU thread, in which `make` makes machines. */
async function start(t: { teardown(end: () => unknown): void }, locking: PresetName, deaths: ThreadDeath[] = []) {
  const engine = new Engine({ vcpuThreads: 1, machines: 3, onThreadDeath: (death) => deaths.push(death) });
  await engine.start();
  t.teardown(() => engine.close());
  const make = (slot: number, options = optionsOf(slot, locking)) => engine.slot(slot).create(options, () => {});
  return { engine, make };
}

/** Whether the load thread is in a hold of the machine. */
function isHeld(engine: Engine, slot: number): boolean {
  return engine.lockView
    .state(slot)
    .some(({ lock, owner }) => lock === 'bql' && /^(bql-load|replacement)/.test(owner ?? ''));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

t.test('on real threads: rounds of the main loop and resets of another machine during one hold', async (t) => {
  const { engine, make } = await start(t, 'lockless-timer');
  make(LOADED);
  make(VICTIM);
  let during = 0;
  // A look at a hold may be its end: one of them is long enough.
  while (during === 0) {
    await until(() => isHeld(engine, LOADED));
    await engine.round();
    await engine.slot(VICTIM).control(CONTROL_RESET);
    if (isHeld(engine, LOADED)) during++;
  }
  t.pass('they did not wait for its end');
  await engine.slot(LOADED).control(CONTROL_RESET);
  await engine.slot(LOADED).remove();
  make(LOADED);
  await until(() => isHeld(engine, LOADED));
  t.pass('a machine in the same place is held again');
});

t.test('a load thread that dies in a hold loses that machine only', async (t) => {
  const deaths: ThreadDeath[] = [];
  const { engine, make } = await start(t, 'lockless-timer', deaths);
  make(LOADED);
  make(VICTIM, { ...optionsOf(VICTIM, 'lockless-timer'), load: { ...LOAD, hold: 1_000_000 } });
  await until(() => isHeld(engine, LOADED));
  engine.pool.worker(LOAD_THREAD)?.terminate();
  await until(() => deaths.length > 0);
  t.match(deaths, [{ thread: LOAD_THREAD, slots: [LOADED] }]);
  t.ok(engine.slot(LOADED).isSuspect);
  t.notOk(engine.slot(VICTIM).isHung);
  await until(() => isHeld(engine, VICTIM));
  t.pass('holds of the other machine go on');
  await engine.slot(VICTIM).control(CONTROL_RESET);
  await engine.slot(LOADED).remake(optionsOf(LOADED, 'lockless-timer'));
  await until(() => isHeld(engine, LOADED));
  t.pass('and so do those of the machine, once it is made again');
});
