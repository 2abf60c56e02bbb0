import { pino } from 'pino';
import t from 'tap';
import { MainCounter } from '../../../src/core/devices/hpet/main-counter.js';
import { SharedMemory } from '../../../src/core/memory/shared-memory.js';
import { DEVICE } from '../../../src/core/sync/lock-names.js';
import { Locks } from '../../../src/core/sync/locks.js';
import { NO_STATISTICS } from '../../../src/core/sync/statistics.js';
import { Thread } from '../../../src/core/sync/thread.js';
import { machineAt } from '../../../src/runtime/memory/shared-map.js';
import { buildApp } from '../../../src/server/app.js';
import { Admission } from '../../../src/server/security/admission.js';
import { Service } from '../../../src/server/service/service.js';
import { GENERAL_CONFIGURATION, MAIN_COUNTER } from '../../support/guest.js';
import { configuration } from '../../support/server.js';

const logger = pino({ level: 'silent' });
const COUNTER_URL = `/v1/machines/m/mmio/0x${MAIN_COUNTER.toString(16)}?size=8`;

t.test('a writer of the main counter dies over it while the gateway reads: the read is refused', async (t) => {
  const complete = configuration({
    execution: 'auto',
    vcpuThreads: 1,
    machines: [{ name: 'm', locking: 'lockless-timer' }, { name: 'other' }],
  });
  const service = new Service(complete, () => {});
  const app = await buildApp({ service, logger, admission: new Admission('') });
  await service.start();
  const { engine } = service;
  const get = async (url: string) => {
    const { statusCode, body } = await app.inject({ method: 'GET', url });
    return { status: statusCode, body: JSON.parse(body) };
  };
  const turnOn = {
    url: `/v1/machines/m/mmio/0x${GENERAL_CONFIGURATION.toString(16)}?size=8`,
    payload: { value: '0x1' },
  };
  t.equal((await app.inject({ method: 'PUT', ...turnOn })).statusCode, 204);
  t.equal((await get(COUNTER_URL)).status, 200);

  const { thread } = engine.gateway.vcpus[0];
  const { slot } = service.machines.get('m').options;
  const { memory } = engine.gateway.machine;
  const { hostTime } = memory;
  memory.spin = () => {
    throw new Error('the gateway spins');
  };
  let died: Promise<unknown> | undefined;
  // What the vCPU thread leaves if it dies over a write of the counter that it begins after the gateway has looked.
  memory.hostTime = () => {
    if (!died && memory.base === machineAt(engine.map, slot)) {
      const dying = new SharedMemory(engine.shared.buffer, memory.base);
      const locks = new Locks(dying, new Thread(thread, engine.shared, NO_STATISTICS));
      locks.select();
      locks.acquire(DEVICE);
      new MainCounter(dying).holdReaders();
      died = engine.pool.worker(thread)?.terminate();
    }
    return hostTime.call(memory);
  };
  t.match(await get(COUNTER_URL), { body: { error: { code: 'machine-suspect' } } });
  t.ok(died);
  t.equal((await get('/v1/machines/m')).body.state, 'suspect');
  t.equal((await get('/v1/machines/other/hpet')).status, 200, 'all others go on');
  await app.close();
  await service.close();
});
