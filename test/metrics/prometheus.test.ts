import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { FAMILIES } from '../../src/metrics/families.js';
import { parseExposition } from '../support/exposition.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  MAIN_COUNTER,
  route,
  timerComparator,
  timerConfiguration,
} from '../support/guest.js';
import { TestServer } from '../support/server.js';

const missing = spawnSync('prometheus', ['--version']).error !== undefined;
const skip = missing && 'prometheus is not installed (package prometheus)';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

t.test('a real Prometheus scrapes the server under load, and answers a query for every family', { skip }, async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'm', locking: 'deferred-irq', vcpus: 2 }] });
  t.teardown(() => server.stop());
  const folder = mkdtempSync(join(tmpdir(), 'southbridge-prometheus-'));
  const port = await freePort();
  writeFileSync(
    join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '1s' },
      scrape_configs: [{ job_name: 'southbridge', static_configs: [{ targets: [new URL(server.url).host] }] }],
    }),
  );
  const prometheus = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  t.teardown(async () => {
    prometheus.kill('SIGKILL');
    await once(prometheus, 'exit');
    rmSync(folder, { recursive: true });
  });

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

  async function query(expression: string): Promise<unknown[]> {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const response = await fetch(url).catch(() => undefined);
    if (response?.status !== 200) return [];
    const { data } = (await response.json()) as { data: { result: unknown[] } };
    return data.result;
  }

  // Families that have anything to tell of this machine, and in which of their series.
  const families = parseExposition(await server.get('/metrics'));
  const told = FAMILIES.filter(({ name }) => (families.get(name)?.samples.length ?? 0) > 0);
  t.ok(told.length > 15, `${told.length} families have samples`);
  for (const { name, type } of told) {
    const series = type === 'histogram' ? `${name}_count` : name;
    let found: unknown[] = [];
    while (found.length === 0) {
      found = await query(series);
      if (found.length === 0) await sleep(100);
    }
    t.ok(found.length > 0, series);
  }
  t.match(await query('up'), [{ value: [Number, '1'] }]);
  isOver = true;
  await Promise.all(load);
});
