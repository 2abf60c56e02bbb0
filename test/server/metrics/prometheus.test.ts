import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { FAMILIES } from '../../../src/server/metrics/families.js';
import { parseExposition } from '../../support/exposition.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  MAIN_COUNTER,
  route,
  timerComparator,
  timerConfiguration,
} from '../../support/guest.js';
import { skipWithoutPrometheus, startPrometheus } from '../../support/prometheus.js';
import { TestServer } from '../../support/server.js';

t.test(
  'a real Prometheus scrapes the server under load, and answers a query for every family',
  { skip: skipWithoutPrometheus },
  async (t) => {
    const server = await TestServer.start({ machines: [{ name: 'm', locking: 'deferred-irq', vcpus: 2 }] });
    t.teardown(() => server.stop());
    const prometheus = await startPrometheus(t, server.url);

    const vcpus = await Promise.all([server.connect('m', 0), server.connect('m', 1)]);
    await vcpus[0].write(GENERAL_CONFIGURATION, 8, 1);
    let isOver = false;
    const load = vcpus.map(async (vcpu, index) => {
      await vcpu.write(timerConfiguration(index), 8, route(16 + index) | ENABLE);
      while (!isOver) {
        const now = await vcpu.read(MAIN_COUNTER, 8);
        await vcpu.write(timerComparator(index), 8, now + 1000n);
      }
    });

    /** Nothing while Prometheus is still starting. */
    const query = (expression: string) => prometheus.query(expression).catch(() => []);

    // Families with samples on this server.
    const families = parseExposition(await server.get('/metrics'));
    const sampled = FAMILIES.filter(({ name }) => (families.get(name)?.samples.length ?? 0) > 0);
    t.ok(sampled.length > 15, `${sampled.length} families have samples`);
    for (const { name, type } of sampled) {
      const series = type === 'histogram' ? `${name}_count` : name;
      let found: readonly unknown[] = [];
      while (found.length === 0) {
        found = await query(series);
        if (found.length === 0) await sleep(100);
      }
      t.ok(found.length > 0, series);
    }
    t.match(await query('up'), [{ value: [Number, '1'] }]);
    isOver = true;
    await Promise.all(load);
  },
);
