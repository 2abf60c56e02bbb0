import t from 'tap';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import { MMIO_WRITE } from '../../../src/core/sync/call-sites.js';
import { BQL, DEVICE } from '../../../src/core/sync/lock-names.js';
import { lockAddress } from '../../../src/core/sync/locks.js';
import { WaitGraph } from '../../../src/core/sync/wait-graph.js';
import { TAIL } from '../../../src/runtime/events/event-ring.js';
import { RING_WAIT, Roles, SETTLE_WAIT, ThreadProgress } from '../../../src/runtime/memory/progress.js';
import {
  FIRST_VCPU_THREAD,
  GATEWAY_THREAD,
  LOAD_THREAD,
  MAIN_LOOP_THREAD,
  machineAt,
  sharedMap,
  submissionRingAt,
  vcpuBellAt,
} from '../../../src/runtime/memory/shared-map.js';
import { Doorbell } from '../../../src/runtime/rings/doorbell.js';
import { SubmissionRing } from '../../../src/runtime/rings/submission-ring.js';
import { STALL_TICKS, type Stall, TICK_MS, Watchdog } from '../../../src/runtime/supervisor/watchdog.js';

const VCPUS = [FIRST_VCPU_THREAD, FIRST_VCPU_THREAD + 1] as const;
const TICK = TICK_MS * 1e6;
/** A thread that is not watched, and gets nowhere. */
const OTHER = 60;

/** The words of a server's threads, none of which runs: a test says what each does. All sleep without work at first. */
class Threads {
  readonly map = sharedMap({ machines: 2, vcpuThreads: 2, submissions: 16, events: 4096, statisticsSlots: 1 });
  readonly memory = new SharedMemory(new SharedArrayBuffer(this.map.words * 4));
  readonly roles = new Roles(this.memory, this.map.progress);
  readonly watchdog = new Watchdog(this.memory, this.map);
  /** Whether the gateway has a turn in each tick. */
  hasGatewayTurns = true;
  now = 1e9;

  constructor() {
    this.roles.mainLoop = MAIN_LOOP_THREAD;
    for (const [index, thread] of VCPUS.entries()) this.roles.setVcpu(index, thread, index);
    for (const bell of [this.map.mainLoopBell, vcpuBellAt(this.map, 0), vcpuBellAt(this.map, 1)]) {
      new Doorbell(this.memory, bell).prepareToSleep();
    }
  }

  progress(thread: number): ThreadProgress {
    return new ThreadProgress(this.memory, this.map.progress, thread);
  }

  /** The main loop has a machine to run, and vCPU thread 0 a request. */
  giveWork(): this {
    this.memory.store(this.map.kicked, 1);
    new SubmissionRing(this.memory, submissionRingAt(this.map, 0), 16).submit(
      { operation: 0, size: 0, address: 0, low: 0, high: 0 },
      0,
    );
    return this;
  }

  /** A thread waits for a lock of the machine in a slot, which another has. */
  blocks(thread: number, lock: number, owner: number, slot = 0): this {
    const address = machineAt(this.map, slot) + lockAddress(lock);
    this.memory.store(address, owner << 1);
    new WaitGraph(this.memory, thread).publish(address, MMIO_WRITE, 0, 1);
    return this;
  }

  /** The stalls that begin in so many ticks, with what happens before each; `late`: this many ns later than it should. */
  ticks(count: number, before: () => void = () => {}, late = 0): Stall[] {
    const begun: Stall[] = [];
    for (let n = 0; n < count; n++) {
      before();
      if (this.hasGatewayTurns) this.roles.gatewayTick();
      this.now += TICK + late;
      begun.push(...this.watchdog.tick(this.now).begun);
    }
    return begun;
  }
}

const threadsOf = (stalls: readonly Stall[]) => stalls.map(({ thread }) => thread).sort();

t.test('a thread that has work and makes no progress in 20 ticks has stalled, and is reported once', async (t) => {
  const threads = new Threads().giveWork();
  // The first tick only learns where the threads are.
  t.same(threads.ticks(STALL_TICKS), []);
  t.same(threadsOf(threads.ticks(1)), [MAIN_LOOP_THREAD, VCPUS[0]]);
  t.same(threads.ticks(3 * STALL_TICKS), []);
  threads.progress(MAIN_LOOP_THREAD).step();
  threads.now += TICK;
  t.same(threads.watchdog.tick(threads.now), { begun: [], ended: [MAIN_LOOP_THREAD] }, 'its end is reported');
  t.same(threadsOf(threads.ticks(STALL_TICKS)), [MAIN_LOOP_THREAD], 'and its next stall');
});

t.test('progress, sleep without work, and a tick that is late are no stall', async (t) => {
  const working = new Threads().giveWork();
  const steps = () => [MAIN_LOOP_THREAD, VCPUS[0]].map((thread) => working.progress(thread).step());
  t.same(working.ticks(5 * STALL_TICKS, steps), [], 'they make progress');
  t.same(new Threads().ticks(5 * STALL_TICKS), [], 'they sleep');
  const late = new Threads().giveWork();
  for (let n = 0; n < 5; n++) {
    t.same(late.ticks(STALL_TICKS - 1), [], 'fewer ticks than a stall has');
    t.same(late.ticks(1, undefined, 30e9), [], 'then the process was stopped for 30 s');
  }
  t.same(threadsOf(late.ticks(STALL_TICKS)), [MAIN_LOOP_THREAD, VCPUS[0]], 'counted from there, they have stalled');
});

t.test('each kind of work counts', async (t) => {
  const kinds: { [what: string]: [number, (threads: Threads) => void] } = {
    'a machine to run': [MAIN_LOOP_THREAD, ({ memory, map }) => memory.store(map.kicked, 2)],
    'a round that is asked for': [MAIN_LOOP_THREAD, ({ memory, map }) => memory.store(map.roundsWanted, 1)],
    'a main loop that is awake': [MAIN_LOOP_THREAD, ({ memory, map }) => new Doorbell(memory, map.mainLoopBell).wake()],
    'a callback that was left': [VCPUS[1], ({ memory, map }) => memory.store(map.drains + 1, 1)],
    'a vCPU thread that is awake': [VCPUS[1], ({ memory, map }) => new Doorbell(memory, vcpuBellAt(map, 1)).wake()],
  };
  for (const [what, [thread, give]] of Object.entries(kinds)) {
    const threads = new Threads();
    give(threads);
    t.same(threadsOf(threads.ticks(STALL_TICKS + 1)), [thread], what);
  }
});

t.test('a thread that waits for one which makes progress has not stalled', async (t) => {
  const threads = new Threads().giveWork().blocks(MAIN_LOOP_THREAD, BQL, VCPUS[0]);
  t.same(
    threads.ticks(5 * STALL_TICKS, () => threads.progress(VCPUS[0]).step()),
    [],
  );
  const settles = new Threads().giveWork();
  settles.progress(VCPUS[0]).waits(SETTLE_WAIT);
  t.same(
    settles.ticks(5 * STALL_TICKS, () => settles.progress(MAIN_LOOP_THREAD).step()),
    [],
  );
});

t.test('a stall names what is waited for, and the threads that wait behind it', async (t) => {
  const threads = new Threads()
    .giveWork()
    .blocks(VCPUS[0], DEVICE, OTHER, 1)
    .blocks(MAIN_LOOP_THREAD, BQL, VCPUS[0], 1);
  t.match(threads.ticks(STALL_TICKS + 1), [
    {
      thread: VCPUS[0],
      waits: [
        { thread: VCPUS[0], slot: 1, waitsFor: 'device', site: 'mmio-write', owner: OTHER },
        { thread: MAIN_LOOP_THREAD, slot: 1, waitsFor: 'bql', owner: VCPUS[0] },
      ],
    },
  ]);
  const settles = new Threads().giveWork();
  settles.progress(VCPUS[0]).waits(SETTLE_WAIT);
  settles.progress(MAIN_LOOP_THREAD).enter(1);
  t.match(settles.ticks(STALL_TICKS + 1), [
    {
      thread: MAIN_LOOP_THREAD,
      waits: [
        { slot: 1, waitsFor: 'nothing', owner: 0 },
        { thread: VCPUS[0], waitsFor: 'main loop', owner: MAIN_LOOP_THREAD },
      ],
    },
  ]);
});

t.test(
  'a load thread that never leaves its hold stalls the threads that wait for it; the main loop does not',
  async (t) => {
    const threads = new Threads().giveWork().blocks(VCPUS[0], BQL, LOAD_THREAD);
    // The main loop serves other machines: it does not come to a BQL that a hold has.
    const stalls = threads.ticks(3 * STALL_TICKS, () => threads.progress(MAIN_LOOP_THREAD).step());
    t.match(stalls, [{ thread: VCPUS[0], waits: [{ slot: 0, waitsFor: 'bql', owner: LOAD_THREAD }] }]);
    const holds = new Threads().giveWork();
    const between = () => [MAIN_LOOP_THREAD, VCPUS[0]].map((thread) => holds.progress(thread).step());
    const waits = () => holds.blocks(VCPUS[0], BQL, LOAD_THREAD);
    for (let hold = 0; hold < STALL_TICKS; hold++) {
      t.same(holds.ticks(4, waits), [], 'a hold of a second is no stall');
      between();
    }
  },
);

t.test('a circle of waits that nobody broke is a stall', async (t) => {
  const threads = new Threads().giveWork();
  threads.blocks(MAIN_LOOP_THREAD, DEVICE, VCPUS[0]).blocks(VCPUS[0], BQL, MAIN_LOOP_THREAD);
  t.ok(threads.ticks(STALL_TICKS + 1).length > 0);
});

t.test('events that a busy gateway has yet to take are no stall; those that it leaves in the ring are', async (t) => {
  const full = () => {
    const threads = new Threads().giveWork();
    for (const thread of [MAIN_LOOP_THREAD, VCPUS[0]]) threads.progress(thread).waits(RING_WAIT);
    threads.memory.store(threads.map.eventRing + TAIL, 1000);
    return threads;
  };
  const busy = full();
  busy.hasGatewayTurns = false;
  t.same(busy.ticks(5 * STALL_TICKS), []);
  const slow = full();
  t.same(
    slow.ticks(5 * STALL_TICKS, () => slow.memory.add(slow.map.eventRing, 1)),
    [],
    'it takes one event in each tick',
  );
  const stuck = full();
  t.match(
    stuck.ticks(2 * STALL_TICKS).map(({ waits }) => waits[0]),
    [{ waitsFor: 'event ring', owner: GATEWAY_THREAD }, { waitsFor: 'event ring' }],
  );
});

t.test('a lock of a busy gateway is no stall; a lock that it keeps over its turns is', async (t) => {
  const locked = new Threads().giveWork().blocks(MAIN_LOOP_THREAD, BQL, GATEWAY_THREAD);
  const vcpuSteps = () => locked.progress(VCPUS[0]).step();
  locked.hasGatewayTurns = false;
  t.same(locked.ticks(3 * STALL_TICKS, vcpuSteps), []);
  locked.hasGatewayTurns = true;
  t.same(threadsOf(locked.ticks(1, vcpuSteps)), [MAIN_LOOP_THREAD]);
});

t.test('a thread that took the place of another is watched in its place', async (t) => {
  const threads = new Threads().giveWork();
  t.equal(threads.ticks(STALL_TICKS + 1).length, 2);
  threads.roles.mainLoop = OTHER;
  threads.now += TICK;
  t.same(threads.watchdog.tick(threads.now).ended, [MAIN_LOOP_THREAD]);
  t.same(threadsOf(threads.ticks(STALL_TICKS)), [OTHER]);
});
