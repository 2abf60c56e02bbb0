import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parse } from 'yaml';
import { loadConfiguration } from '../../src/config/sources.js';
import { CHOSEN_SOURCE, dashboards } from './dashboard.js';

const folder = new URL('../../../docker/', import.meta.url);

interface Service {
  readonly image: string;
  readonly restart?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: { readonly [name: string]: string };
  readonly profiles?: readonly string[];
  readonly depends_on?: { readonly [service: string]: { readonly condition: string } };
}

interface Compose {
  readonly services: { readonly [name: string]: Service };
  readonly volumes: { readonly [name: string]: null };
}

function yaml<T>(file: string): T {
  return parse(readFileSync(new URL(file, folder), 'utf8'), { merge: true }) as T;
}

const { services, volumes } = yaml<Compose>('compose.yaml');

/** Source and target of a mount. */
function mountsOf({ volumes: mounts = [] }: Service): (readonly [source: string, target: string])[] {
  return mounts.map((mount) => {
    const [source, target] = mount.split(':');
    return [source, target] as const;
  });
}

/** The file of this repository that a service sees under a path. */
function seen(service: Service, path: string): string {
  const [source, target] =
    mountsOf(service).find(([, target]) => path === target || path.startsWith(`${target}/`)) ?? [];
  if (source === undefined || target === undefined) throw new Error(`nothing is mounted at ${path}`);
  return source + path.slice(target.length);
}

t.test('ports are published on loopback only', (t) => {
  const ports = Object.values(services).flatMap((service) => service.ports ?? []);
  t.equal(ports.length, 3);
  for (const port of ports) t.match(port, /^127\.0\.0\.1:/);
  t.end();
});

t.test('no service ends by itself but the load: that would end the load test', (t) => {
  const ending = Object.entries(services).filter(([, { restart }]) => restart !== 'unless-stopped');
  t.same(
    ending.map(([name]) => name),
    ['load'],
  );
  t.end();
});

t.test('what is mounted exists, and what a service waits for', (t) => {
  for (const [name, service] of Object.entries(services)) {
    for (const [source] of mountsOf(service)) {
      if (source.startsWith('.')) t.ok(existsSync(new URL(source, folder)), `${name}: ${source}`);
      else t.ok(source in volumes, `${name}: volume ${source}`);
    }
    for (const other of Object.keys(service.depends_on ?? {})) t.ok(other in services, `${name} waits for ${other}`);
    t.match(
      service.image,
      service.build ? /^southbridge$/ : /:v?\d+\.\d+\.\d+$/,
      `${name}: ${service.image} is pinned`,
    );
  }
  t.same(services.load.profiles, ['load'], 'there is load only where it is asked for');
  t.end();
});

t.test('the server takes its configuration, in which each machine has series of its own', (t) => {
  const { server } = services;
  const path = server.command?.at(-1) ?? '';
  const file = fileURLToPath(new URL(seen(server, path), folder));
  const environment = { SOUTHBRIDGE_TOKEN_FILE: '/run/tokens/hashes' };
  const { configuration } = loadConfiguration({ file, environment, flags: [] });
  t.ok(configuration.machines.length >= 6);
  t.ok(configuration.machines.length <= configuration.limits.measuredMachines);
  t.match(configuration, { host: '0.0.0.0', port: 8080, insecure: false, allowedHosts: ['server'] });
  const { scrape_configs: scrapes } = yaml<{
    scrape_configs: { static_configs: { targets: string[] }[]; authorization: { credentials_file: string } }[];
  }>(seen(services.prometheus, '/etc/prometheus/prometheus.yaml'));
  t.same(scrapes[0].static_configs[0].targets, ['server:8080']);
  t.equal(seen(services.prometheus, scrapes[0].authorization.credentials_file), 'tokens/prometheus');
  t.equal(seen(services.load, services.load.environment?.LOAD_TOKEN_FILE ?? ''), 'tokens/load');
  t.equal(seen(server, '/run/tokens/load'), 'tokens/load', 'where the script that starts it makes them');
  t.end();
});

t.test('Grafana is provisioned with the data source and the dashboards', (t) => {
  const { grafana, prometheus } = services;
  const { datasources } = yaml<{ datasources: { uid: string; url: string; jsonData: { timeInterval: string } }[] }>(
    seen(grafana, '/etc/grafana/provisioning/datasources/prometheus.yaml'),
  );
  const { providers } = yaml<{ providers: { options: { path: string } }[] }>(
    seen(grafana, '/etc/grafana/provisioning/dashboards/southbridge.yaml'),
  );
  t.equal(seen(grafana, providers[0].options.path), './grafana/dashboards');
  t.ok(
    existsSync(new URL(seen(grafana, grafana.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH ?? ''), folder)),
  );
  t.equal(datasources[0].url, 'http://prometheus:9090');
  const { global } = yaml<{ global: { scrape_interval: string } }>(seen(prometheus, '/etc/prometheus/prometheus.yaml'));
  t.equal(datasources[0].jsonData.timeInterval, global.scrape_interval, 'rates are taken over whole scrapes');
  for (const { panels } of dashboards()) {
    for (const { title, type, datasource, targets = [] } of panels) {
      if (type === 'row') continue;
      for (const { uid } of [datasource, ...targets.map((target) => target.datasource)].filter((one) => !!one)) {
        t.equal(uid, CHOSEN_SOURCE, `${title} asks the data source that is chosen`);
      }
    }
  }
  t.end();
});
