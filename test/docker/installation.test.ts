import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Service } from 'kubernetes-models/v1/Service';
import t, { type Test } from 'tap';
import { parseAllDocuments } from 'yaml';
import { temporaryFolder } from '../support/temporary-folder.js';

const root = new URL('../../../', import.meta.url);
const folder = new URL('docker/', root);
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8');

/** Kind, and the module of its schema. A `Model` checks types and values; TypeScript reports keys that the schema lacks. */
const SCHEMAS = {
  Service: ['kubernetes-models/v1/Service', Service],
  StatefulSet: ['kubernetes-models/apps/v1/StatefulSet', StatefulSet],
  PodDisruptionBudget: ['kubernetes-models/policy/v1/PodDisruptionBudget', PodDisruptionBudget],
  ServiceMonitor: ['@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor', ServiceMonitor],
} as const;

/** What the schemas of Kubernetes and of the Prometheus operator find wrong with the resources of a YAML text. */
function violations(t: Pick<Test, 'teardown'>, yaml: string): string[] {
  const found: string[] = [];
  const lines: string[] = [];
  for (const [index, document] of parseAllDocuments(yaml).entries()) {
    const resource = document.toJS();
    const [module, Model] = SCHEMAS[resource.kind as keyof typeof SCHEMAS];
    try {
      new Model(resource).validate();
    } catch (error) {
      found.push((error as Error).message);
    }
    lines.push(`import type { I${resource.kind} } from '${module}';`);
    lines.push(`export const resource${index}: I${resource.kind} = ${JSON.stringify(resource)};`);
  }
  const folder = temporaryFolder(t);
  symlinkSync(fileURLToPath(new URL('node_modules', root)), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'resources.ts'), lines.join('\n'));
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', 'resources.ts'];
  const { stdout } = spawnSync(join('node_modules', '.bin', 'tsc'), options, { cwd: folder, encoding: 'utf8' });
  found.push(...stdout.split('\n').filter((line) => line !== ''));
  return found;
}

t.test('the Kubernetes resources keep to the schemas', (t) => {
  const yaml = read('kubernetes/southbridge.yaml');
  t.same(violations(t, yaml), []);
  for (const [right, wrong] of [
    ['replicas: 1', 'replicas: one'],
    ['livenessProbe:', 'liveProbe:'],
    ['serviceName: southbridge', 'serviceNames: southbridge'],
    ['maxUnavailable: 0', 'maxUnavailable: [0]'],
    ['- port: http\n', '- prt: http\n'],
    ['credentials: { name: southbridge-scrape, key: token }', 'credentials: { name: southbridge-scrape }'],
  ]) {
    t.ok(yaml.includes(right), right);
    t.not(violations(t, yaml.replace(right, wrong)).length, 0, wrong);
  }
  t.end();
});

t.test('the Kubernetes resources parse, and refer to one another by names that are there', (t) => {
  const documents = parseAllDocuments(read('kubernetes/southbridge.yaml'));
  t.same(
    documents.flatMap(({ errors }) => errors),
    [],
  );
  // biome-ignore lint/suspicious/noExplicitAny: whatever is in the file
  const resources = new Map(documents.map((document): [string, any] => [document.toJS().kind, document.toJS()]));
  t.same([...resources.keys()], ['Service', 'StatefulSet', 'PodDisruptionBudget', 'ServiceMonitor']);
  const { spec } = resources.get('StatefulSet');
  const [container] = spec.template.spec.containers;
  const { labels } = spec.template.metadata;
  t.equal(container.args[0], 'serve');
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  t.equal(container.image, `southbridge:${version}`);
  t.same(spec.selector.matchLabels, labels);
  t.same(resources.get('Service').spec.selector, labels);
  t.same(resources.get('PodDisruptionBudget').spec.selector.matchLabels, labels);
  t.same(resources.get('ServiceMonitor').spec.selector.matchLabels, resources.get('Service').metadata.labels);
  t.equal(spec.serviceName, resources.get('Service').metadata.name);
  t.equal(container.livenessProbe.httpGet.path, '/healthz');
  t.equal(container.readinessProbe.httpGet.path, '/readyz');
  const ports = container.ports.map(({ name }: { name: string }) => name);
  for (const { port } of [container.livenessProbe.httpGet, container.readinessProbe.httpGet])
    t.ok(ports.includes(port));
  const volumes = [
    ...spec.template.spec.volumes,
    ...spec.volumeClaimTemplates.map(({ metadata }: { metadata: object }) => metadata),
  ];
  for (const { name } of container.volumeMounts)
    t.ok(
      volumes.some((volume) => volume.name === name),
      name,
    );
  t.end();
});

t.test('the systemd unit is the one of the operations page', (t) => {
  const unit = read('systemd/southbridge.service');
  for (const key of ['ExecStart', 'ExecReload', 'DynamicUser', 'StateDirectory', 'LoadCredential', 'Restart']) {
    t.match(unit, new RegExp(`^${key}=.+$`, 'm'), key);
  }
  t.match(readFileSync(new URL('../docs/operations.md', folder), 'utf8'), 'docker/systemd/southbridge.service');
  t.end();
});
