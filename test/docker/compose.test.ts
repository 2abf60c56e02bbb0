import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parse } from 'yaml';
import { loadConfiguration } from '../../src/config/sources.js';
import { NATS, NO_NATS } from '../support/nats.js';
import { CHOSEN_SOURCE, dashboards } from './dashboard.js';

const folder = new URL('../../../docker/', import.meta.url);

interface Service {
  readonly image: string;
  readonly restart?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly volumes?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: { readonly [name: string]: string };
  readonly profiles?: readonly string[];
  readonly depends_on?: { readonly [service: string]: { readonly condition: string } };
}

interface Compose {
  readonly services: { readonly [name: string]: Service };
  readonly volumes: { readonly [name: string]: null };
  readonly networks?: { readonly [name: string]: unknown };
}

function yaml<T>(file: string): T {
  return parse(readFileSync(new URL(file, folder), 'utf8'), { merge: true }) as T;
}

const FILES = ['compose.yaml', 'compose.cluster.yaml'];
const { services } = yaml<Compose>('compose.yaml');

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
  for (const [file, count] of [
    ['compose.yaml', 3],
    ['compose.cluster.yaml', 5],
  ] as const) {
    const ports = Object.values(yaml<Compose>(file).services).flatMap((service) => service.ports ?? []);
    t.equal(new Set(ports).size, count, file);
    for (const port of ports) t.match(port, /^127\.0\.0\.1:/);
  }
  t.end();
});

t.test('no service ends by itself but the load: that would end the load test', (t) => {
  for (const file of FILES) {
    const all = Object.entries(yaml<Compose>(file).services);
    const ending = all.filter(([, { restart }]) => restart !== 'unless-stopped');
    t.same(
      ending.map(([name]) => name),
      ['load'],
      file,
    );
  }
  t.end();
});

t.test('what is mounted exists, and what a service waits for', (t) => {
  for (const file of FILES) {
    const { services, volumes, networks = {} } = yaml<Compose>(file);
    const mounted = new Set<string>();
    for (const [name, service] of Object.entries(services)) {
      for (const [source] of mountsOf(service)) {
        mounted.add(source);
        if (source.startsWith('.')) t.ok(existsSync(new URL(source, folder)), `${name}: ${source}`);
        else t.ok(source in volumes, `${name}: volume ${source}`);
      }
      for (const other of Object.keys(service.depends_on ?? {})) t.ok(other in services, `${name} waits for ${other}`);
      for (const network of service.networks ?? []) t.ok(network in networks, `${name} is on the network ${network}`);
      t.match(
        service.image,
        service.build ? /^southbridge$/ : /:v?\d+\.\d+\.\d+(-alpine)?$/,
        `${name}: ${service.image} is pinned`,
      );
    }
    for (const volume of Object.keys(volumes)) t.ok(mounted.has(volume), `${file}: volume ${volume} is mounted`);
    t.same(services.load.profiles, ['load'], 'there is load only where it is asked for');
  }
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

/** The services of the cluster whose names begin so. */
function clusterServices(prefix: string): (readonly [name: string, Service])[] {
  return Object.entries(yaml<Compose>('compose.cluster.yaml').services).filter(([name]) => name.startsWith(prefix));
}

t.test('each node of the cluster takes its configuration, and has the same machines as the server alone', (t) => {
  const [nodes, nats] = [clusterServices('node-'), clusterServices('nats-').map(([name]) => name)];
  const names = nodes.map(([name]) => name);
  t.strictSame([names.length, nats.length], [3, 3]);
  const alone = yaml<{ machines: unknown }>('southbridge.yaml').machines;
  for (const [name, node] of nodes) {
    const file = fileURLToPath(new URL(seen(node, node.command?.at(-1) ?? ''), folder));
    const { configuration } = loadConfiguration({ file, environment: node.environment, flags: [] });
    t.match(configuration, { host: '0.0.0.0', port: 8080, insecure: false, allowedHosts: names, stateDir: '' });
    t.match(configuration.cluster, { node: name, address: `http://${name}:8080`, replicas: nats.length });
    t.strictSame(
      configuration.cluster.servers,
      nats.map((server) => `nats://${server}:4222`),
    );
    t.strictSame(yaml<{ machines: unknown }>('southbridge.cluster.yaml').machines, alone);
    t.strictSame(node.networks, ['front', 'nats']);
    // Several that make tokens at once would overwrite each other's.
    t.equal(Object.hasOwn(node.depends_on ?? {}, names[0]), name !== names[0], `${name} waits for the tokens`);
  }
  const { prometheus, grafana, load } = yaml<Compose>('compose.cluster.yaml').services;
  const path = prometheus.command?.[0].replace('--config.file=', '') ?? '';
  const { scrape_configs: scrapes, rule_files: rules } = yaml<{
    scrape_configs: { static_configs: { targets: string[] }[] }[];
    rule_files: string[];
  }>(seen(prometheus, path));
  t.same(
    scrapes[0].static_configs[0].targets,
    names.map((name) => `${name}:8080`),
  );
  t.same(rules, ['alerts.yaml']);
  for (const service of [prometheus, grafana, load])
    t.strictSame(service.networks, ['front'], 'NATS is for nodes only');
  t.end();
});

t.test('nats-server takes the configuration of each', { skip: NO_NATS }, (t) => {
  const servers = clusterServices('nats-');
  const config = readFileSync(new URL('nats/nats.conf', folder), 'utf8');
  for (const [name, { environment, command }] of servers) {
    t.ok(config.includes(`nats://${name}:6222`), `a route to ${name}`);
    t.strictSame(command, ['nats-server', '-c', '/etc/nats/nats.conf']);
    const args = ['-t', '-c', fileURLToPath(new URL('nats/nats.conf', folder))];
    const { status, stderr } = spawnSync(NATS.binary as string, args, { env: environment, encoding: 'utf8' });
    t.equal(status, 0, stderr);
    t.equal(environment?.NATS_NAME, name);
  }
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
