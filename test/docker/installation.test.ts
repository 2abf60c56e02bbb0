import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseAllDocuments } from 'yaml';

const folder = new URL('../../../docker/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8');

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
