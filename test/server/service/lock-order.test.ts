import t from 'tap';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  LEVEL,
  route,
  timerComparator,
  timerConfiguration,
} from '../../support/guest.js';
import { TestServer } from '../../support/server.js';

const LINE = 20;

t.test('a machine that takes the place of another tells all of its own lock orders', async (t) => {
  const server = await TestServer.start({ machines: [], execution: 'threads' });
  t.teardown(server.stop);
  for (const name of ['first', 'second']) {
    await server.request('POST', '/v1/machines', { name, locking: 'nested-mutex', clock: 'manual' });
    const vcpu = await server.connect(name, 0);
    await vcpu.write(timerConfiguration(0), 8, route(LINE) | LEVEL);
    await vcpu.write(timerComparator(0), 8, 10);
    await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
    await vcpu.request({ type: 'step', ns: '1000' });
    await vcpu.write(timerConfiguration(0), 8, route(LINE) | LEVEL | ENABLE);
    const { inversions } = await server.get(`/v1/machines/${name}/locks/order`);
    t.match(inversions, [{ outer: 'device', inner: 'bql', site: 'irq-update' }], name);
    await vcpu.close();
    await server.request('DELETE', `/v1/machines/${name}`);
  }
});
