import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrometheusClient } from './prometheus-client.js';

const missing = spawnSync('prometheus', ['--version']).error !== undefined;

/** Why tests with a real Prometheus are skipped, or false. */
export const skipWithoutPrometheus = missing && 'prometheus is not installed (package prometheus)';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

/** A Prometheus of the test's own, which scrapes this server once a second. */
export async function startPrometheus(
  t: { teardown(end: () => Promise<void>): void },
  serverUrl: string,
): Promise<PrometheusClient> {
  const folder = mkdtempSync(join(tmpdir(), 'southbridge-prometheus-'));
  const port = await freePort();
  writeFileSync(
    join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '1s' },
      scrape_configs: [{ job_name: 'southbridge', static_configs: [{ targets: [new URL(serverUrl).host] }] }],
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
  return new PrometheusClient(`http://127.0.0.1:${port}`);
}
