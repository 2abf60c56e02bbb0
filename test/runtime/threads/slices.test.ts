import t from 'tap';
import { HPET_BASE } from '../../../src/core/devices/guest-map.js';
import { MAX_TIMERS } from '../../../src/core/devices/hpet/registers.js';
import { PROFILE_NAMES, PROFILES, type Profile, quirkBits } from '../../../src/core/devices/quirks.js';
import { PRESET_NAMES, PRESETS, type PresetName } from '../../../src/core/locking/presets.js';
import type { ClockMode } from '../../../src/core/machine/clock.js';
import { CALLBACKS_PER_SLICE } from '../../../src/core/machine/due-work.js';
import { Machine } from '../../../src/core/machine/machine.js';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import { U64 } from '../../../src/core/memory/u64.js';
import { NO_STATISTICS } from '../../../src/core/sync/statistics.js';
import { Thread } from '../../../src/core/sync/thread.js';
import {
  drainsAt,
  FIRST_VCPU_THREAD,
  MAIN_LOOP_THREAD,
  machineAt,
  sharedMap,
} from '../../../src/runtime/memory/shared-map.js';
import { SubmissionRing } from '../../../src/runtime/rings/submission-ring.js';
import { ThreadHost } from '../../../src/runtime/threads/host.js';
import { LeaseWord } from '../../../src/runtime/threads/lease-word.js';
import { MainLoop } from '../../../src/runtime/threads/main-loop.js';
import { VcpuThread } from '../../../src/runtime/threads/vcpu-thread.js';
import { comparatorOf, configurationOf, routed } from '../../support/hpet-registers.js';

const HOSTILE = 0;
const VICTIM = 1;
/** Host time that a callback takes: longer than the shortest period of any profile. */
const CALLBACK_NS = 1_500;
const PERIODIC_VAL_SET = 0x48;
const ROUNDS = 60;

/** Memory with a host clock of its own, in which nobody waits. */
class ClockedMemory extends SharedMemory {
  constructor(
    buffer: SharedArrayBuffer,
    readonly clock: { now: number },
  ) {
    super(buffer);
  }

  override hostTime(): number {
    return this.clock.now;
  }

  override wait(): void {
    throw new Error('waits');
  }
}

/** A main loop and a vCPU thread on one thread, with a hostile machine and one that has a single slow timer. */
function fixture(profile: Profile, locking: PresetName, clock: ClockMode, records = 65_536) {
  const map = sharedMap({ machines: 2, vcpuThreads: 1, submissions: 16, events: records, statisticsSlots: 1 });
  const buffer = new SharedArrayBuffer(map.words * 4);
  const time = { now: 1_000 };
  const memory = () => new ClockedMemory(buffer, time);
  const shared = memory();
  const host = new ThreadHost(shared, map, false);
  const counts = { hostile: 0, victim: 0 };
  /** A thread whose callbacks are counted by machine, and take time. */
  const thread = (id: number, slot: () => number) => {
    const callbackBegins = () => {
      time.now += CALLBACK_NS;
      counts[slot() === HOSTILE ? 'hostile' : 'victim']++;
    };
    return new Thread(id, shared, { ...NO_STATISTICS, callbackBegins });
  };
  const mainLoop: MainLoop = new MainLoop(
    thread(MAIN_LOOP_THREAD, () => mainLoop.machine.chipset.slot),
    memory(),
    map,
  );
  const submissions = new SubmissionRing(shared, map.submissionRings, map.submissions);
  const vcpu: VcpuThread = new VcpuThread(
    thread(FIRST_VCPU_THREAD, () => vcpu.machine.chipset.slot),
    memory(),
    map,
    0,
    submissions,
  );
  const view: Machine = new Machine(
    memory(),
    thread(FIRST_VCPU_THREAD, () => view.chipset.slot),
    host,
  );
  const write = (offset: number, value: number) => view.write(HPET_BASE + offset, 8, new U64().setNumber(value));
  for (const slot of [HOSTILE, VICTIM]) {
    view.create(machineAt(map, slot), {
      slot,
      design: PRESETS[locking],
      clock: slot === HOSTILE ? clock : 'realtime',
      hpet: { timers: MAX_TIMERS, msi: false, routingCapability: 0x00ff_ffff },
      ioapic: { version: 0x20, id: 0 },
      quirks: quirkBits(PROFILES[profile]),
      generationCheck: true,
      countOverlap: false,
    });
    for (let timer = 0; timer < (slot === HOSTILE ? MAX_TIMERS : 1); timer++) {
      write(configurationOf(timer), routed(timer) | PERIODIC_VAL_SET);
      write(comparatorOf(timer), slot === HOSTILE ? 1 : 2_000);
    }
    write(0x10, 1);
  }
  const due = (slot: number) => {
    view.select(machineAt(map, slot));
    return view.due;
  };
  const hasDrains = () => shared.load(drainsAt(map, 0)) !== 0;
  const isKicked = () => shared.load(map.kicked) !== 0;
  const lease = new LeaseWord(shared, map.lease, { now: () => 0 });
  return { mainLoop, vcpu, counts, time, due, events: host.events, hasDrains, isKicked, lease };
}

for (const profile of PROFILE_NAMES) {
  for (const clock of ['realtime', 'manual'] as const) {
    t.test(`${profile}, ${clock}: between two looks at deadlines a machine runs one slice`, async (t) => {
      for (const locking of PRESET_NAMES) {
        const { mainLoop, vcpu, counts, time, due, events, hasDrains } = fixture(profile, locking, clock);
        if (clock === 'manual') {
          due(HOSTILE).steps.begin(1_000_000_000);
        }
        let most = 0;
        const counted = (part: () => void) => {
          const before = counts.hostile;
          part();
          most = Math.max(most, counts.hostile - before);
          events.drain(65_536, () => {});
        };
        for (let round = 0; round < ROUNDS; round++) {
          time.now += CALLBACK_NS;
          // As the thread does that waits for the step.
          if (clock === 'manual') due(HOSTILE).requestRound();
          counted(() => mainLoop.answerRound());
          counted(() => mainLoop.runKicked());
          counted(() => mainLoop.runDue());
          if (locking !== 'kick-and-drain') continue;
          // The main loop only counts what a vCPU thread is to run; with a manual clock the one that steps runs it.
          if (clock === 'manual') counted(() => due(HOSTILE).drainKicks());
          else if (hasDrains()) counted(() => vcpu.step());
        }
        if (most > CALLBACKS_PER_SLICE) t.fail(`${locking}: ${most} callbacks at once`);
        if (counts.hostile < CALLBACKS_PER_SLICE)
          t.fail(`${locking}: only ${counts.hostile} callbacks of the hostile one`);
        if (counts.victim === 0) t.fail(`${locking}: the other machine has had no turn`);
      }
      t.pass('all presets');
    });
  }
}

t.test('a machine that has used its share of the event ring waits alone', async (t) => {
  for (const locking of PRESET_NAMES) {
    const { mainLoop, vcpu, counts, time, events, hasDrains } = fixture('standard', locking, 'realtime', 16_384);
    const rounds = (count: number) => {
      for (let round = 0; round < count; round++) {
        time.now += CALLBACK_NS;
        mainLoop.answerRound();
        mainLoop.runKicked();
        mainLoop.runDue();
        if (hasDrains()) vcpu.step();
      }
    };
    // The gateway delivers nothing: the hostile machine comes to its share.
    rounds(200);
    const before = { ...counts };
    rounds(200);
    t.equal(counts.hostile, before.hostile, `${locking}: the hostile machine waits`);
    t.ok(counts.victim >= before.victim + 10, `${locking}: the other one goes on`);
    events.drain(16_384, () => {});
    rounds(1);
    t.ok(counts.hostile > before.hostile, `${locking}: and the hostile one, once its events are delivered`);
  }
});

t.test('threads without a lease leave what is due where it is, and do not ask for it', async (t) => {
  for (const locking of PRESET_NAMES) {
    const { mainLoop, vcpu, counts, time, hasDrains, isKicked, lease } = fixture('standard', locking, 'realtime');
    for (const { machine } of [mainLoop, vcpu]) (machine.host as ThreadHost).lease = lease;
    lease.expire();
    time.now += 1_000_000;
    mainLoop.runKicked();
    mainLoop.runDue();
    t.strictSame(counts, { hostile: 0, victim: 0 }, locking);
    t.equal(mainLoop.deadlines.earliest, Number.POSITIVE_INFINITY, 'no deadline of the main loop');
    t.notOk(isKicked(), 'no further round');

    lease.hold(1000);
    for (const slot of [HOSTILE, VICTIM]) (mainLoop.machine.host as ThreadHost).kickMainLoop(slot);
    mainLoop.runKicked();
    const after = { ...counts };
    t.ok(after.hostile > 0 || hasDrains(), 'the main loop runs callbacks, or leaves them to the vCPU thread');
    if (!hasDrains()) continue;
    lease.expire();
    vcpu.step();
    t.strictSame(counts, after, 'the vCPU thread runs none');
    lease.hold(1000);
    (mainLoop.machine.host as ThreadHost).kickVcpu(HOSTILE);
    vcpu.step();
    t.ok(counts.hostile > after.hostile, 'until there is a lease');
  }
});
