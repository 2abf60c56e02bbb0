import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { BQL, DEVICE } from '../../../src/core/sync/lock-names.js';
import { accessMmio } from '../../../src/server/service/guest-requests.js';
import { describeLocks } from '../../../src/server/service/lock-description.js';
import { restore } from '../../../src/server/service/saving.js';
import { Service } from '../../../src/server/service/service.js';
import { Checkpoints } from '../../../src/server/state/checkpoints.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  LEVEL,
  PERIODIC,
  route,
  timerComparator,
  timerConfiguration,
} from '../../support/guest.js';
import { configuration } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const logger = pino({ level: 'silent' });

/** A machine in which the test can hold locks as the gateway, and end threads. */
async function start(t: Test, machine: { locking: 'nested-mutex' | 'lockless-timer'; locks?: { mutex: 'ticket' } }) {
  const complete = configuration({
    execution: 'threads',
    vcpuThreads: 2,
    stateDir: join(temporaryFolder(t), 'state'),
    stateIntervalMs: 3_600_000,
    machines: [{ name: 'm', vcpus: 2, ...machine }],
  });
  const store = await Checkpoints.open(complete, logger);
  const service = new Service(complete, () => {}, store);
  await service.start();
  const { engine } = service;
  const m = service.machines.get('m');
  const locks = () => m.slot.machine.locks;
  return {
    m,
    write: (vcpu: number, address: number, low: number): Promise<string> =>
      new Promise((resolve) =>
        accessMmio(m, vcpu, { write: true, address, size: 8, low, high: 0, posted: false }, (request) =>
          resolve(m.failureOf(request)?.code ?? 'written'),
        ),
      ),
    hold: (lock: number) => locks().acquire(lock),
    letGo: (lock: number) => locks().release(lock),
    waitFor: async (thread: string, lock: number) => {
      while (!describeLocks(m).locks[lock].waiters.some((waiter) => waiter.thread === thread))
        await new Promise(setImmediate);
    },
    end: async (index: number) => {
      await engine.pool.worker(engine.gateway.vcpus[index].thread)?.terminate();
      while (!m.isSuspect) await new Promise(setImmediate);
    },
    putBack: async () => {
      const snapshot = await store.lastOf('m');
      if (!snapshot) throw new Error('there is no checkpoint');
      await restore(m, snapshot, 'continue');
    },
    close: async () => {
      await store.close(10_000);
      await service.close();
    },
  };
}

t.test('a thread that comes to wait for the dead once the machine is being restored', async (t) => {
  const { m, write, hold, letGo, waitFor, end, putBack, close } = await start(t, { locking: 'nested-mutex' });
  await write(0, timerConfiguration(0), route(16) | LEVEL | ENABLE);
  await write(0, timerComparator(0), 1000);
  await write(0, GENERAL_CONFIGURATION, 1);
  while (m.events.sequence === 0) await new Promise(setImmediate);
  hold(BQL);
  await write(0, timerComparator(1), 1);
  await write(0, timerConfiguration(1), ENABLE | PERIODIC);
  await write(0, timerComparator(1), 100_000);
  await waitFor('main-loop', BQL);
  // It moves a line: it has the device's mutex while it waits.
  const dying = write(0, timerConfiguration(0), route(18) | LEVEL | ENABLE);
  await waitFor('vcpu-0', BQL);
  await end(0);
  t.equal(await dying, 'machine-suspect');
  const restored = putBack();
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  // Only now the main loop goes on, to the mutex that nobody will let go.
  letGo(BQL);
  await restored;
  t.equal(m.isOpen, true);
  t.equal(await write(0, timerComparator(0), 5), 'written');
  await close();
});

t.test('a ticket that a dead thread drew blocks no other thread', async (t) => {
  const { m, write, hold, letGo, waitFor, end, putBack, close } = await start(t, {
    locking: 'lockless-timer',
    locks: { mutex: 'ticket' },
  });
  hold(DEVICE);
  const first = write(0, timerComparator(0), 1);
  await waitFor('vcpu-0', DEVICE);
  const second = write(1, timerComparator(1), 1);
  await waitFor('vcpu-1', DEVICE);
  await end(0);
  letGo(DEVICE);
  t.equal(await first, 'machine-suspect');
  t.equal(await second, 'machine-suspect', 'the next in the queue is let go');
  await putBack();
  t.equal(m.isOpen, true);
  t.equal(await write(0, timerComparator(0), 5), 'written');
  t.equal(await write(1, timerComparator(1), 5), 'written');
  await close();
});
