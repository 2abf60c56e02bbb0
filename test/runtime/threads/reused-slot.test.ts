import t from 'tap';
import { PRESETS } from '../../../src/core/locking/presets.js';
import { CONTROL_REMOVE } from '../../../src/core/machine/control-path.js';
import { Machine, type MachineOptions } from '../../../src/core/machine/machine.js';
import { MACHINE_WORDS } from '../../../src/core/memory/map.js';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import { TIMERS } from '../../../src/core/sync/lock-names.js';
import { lockAddress } from '../../../src/core/sync/locks.js';
import { ownerOf } from '../../../src/core/sync/mutex.js';
import { NO_STATISTICS } from '../../../src/core/sync/statistics.js';
import { Thread } from '../../../src/core/sync/thread.js';
import { GATEWAY_THREAD, MAIN_LOOP_THREAD, machineAt, sharedMap } from '../../../src/runtime/memory/shared-map.js';
import { ThreadHost } from '../../../src/runtime/threads/host.js';
import { MainLoop } from '../../../src/runtime/threads/main-loop.js';

const MACHINE: MachineOptions = {
  slot: 0,
  design: PRESETS['lockless-timer'],
  clock: 'realtime',
  hpet: { timers: 3, msi: false, routingCapability: 0 },
  ioapic: { version: 0x20, id: 0 },
  quirks: 0,
  generationCheck: true,
  countOverlap: false,
};

/** The main loop's memory, between whose operations others do something. */
class WatchedMemory extends SharedMemory {
  afterStore = () => {};

  override store(address: number, value: number): void {
    super.store(address, value);
    this.afterStore();
  }

  override wait(): void {
    throw new Error('the main loop waits');
  }

  override spin(): void {}
}

t.test('the main loop does not look into the machine that has the place of one that it just removed', async (t) => {
  const map = sharedMap({ machines: 1, vcpuThreads: 1, submissions: 16, events: 4096, statisticsSlots: 1 });
  const buffer = new SharedArrayBuffer(map.words * 4);
  const shared = new SharedMemory(buffer);
  const thread = (id: number) => new Thread(id, shared, NO_STATISTICS);
  const host = new ThreadHost(shared, map, false);
  const gateway = new Machine(new SharedMemory(buffer), thread(GATEWAY_THREAD), host);
  gateway.create(machineAt(map, 0), { ...MACHINE, locks: { mutex: 'ticket' } });
  const { control } = gateway.due;
  const memory = new WatchedMemory(buffer);
  const mainLoop = new MainLoop(thread(MAIN_LOOP_THREAD), memory, map);

  let made = false;
  memory.afterStore = () => {
    if (made || !control.takeDone()) return;
    made = true;
    for (let word = 0; word < MACHINE_WORDS; word++) gateway.memory.store(word, 0);
    gateway.create(machineAt(map, 0), { ...MACHINE, locks: { mutex: 'barging' } });
    gateway.locks.acquire(TIMERS);
  };
  control.request(CONTROL_REMOVE, 0);
  host.kickMainLoop(0);
  mainLoop.runKicked();
  t.ok(made, 'the place is given away as soon as the removal is acknowledged');
  const owner = ownerOf(shared, machineAt(map, 0) + lockAddress(TIMERS));
  t.equal(owner, GATEWAY_THREAD, 'its locks are not taken, least of all as those of another kind');
  gateway.locks.release(TIMERS);
  t.equal(gateway.isAlive, true);

  gateway.timers.arm(0, 1);
  mainLoop.runKicked();
  t.equal(gateway.timers.deadlineOf(0), -1, 'the new machine is looked at when it asks for that');
});
