import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parse } from 'yaml';
import { FAMILIES } from '../../src/server/metrics/families.js';
import { histogramOf, namesIn } from './dashboard.js';

const folder = new URL('../../../docker/prometheus/', import.meta.url);

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly annotations: { readonly runbook_url: string };
    }[];
  }[];
}

function promtool(...args: string[]) {
  return spawnSync('promtool', args, { cwd: fileURLToPath(folder), encoding: 'utf8' });
}

const skip = promtool('--version').error !== undefined && 'promtool is not installed (package prometheus)';
const alerts = readFileSync(new URL('alerts.yaml', folder), 'utf8');
const rules = (parse(alerts) as Rules).groups.flatMap((group) => group.rules);

t.test('every alert is about metrics that a server has', (t) => {
  const names = FAMILIES.map(({ name }) => name);
  for (const { alert, expr } of rules) {
    for (const metric of namesIn(expr).metrics) {
      t.ok(names.includes(metric) || names.includes(histogramOf(metric)), `${alert}: ${metric}`);
    }
  }
  t.end();
});

t.test('every alert links to a heading of the operations page', (t) => {
  const page = readFileSync(new URL('../../docs/operations.md', folder), 'utf8');
  const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading.toLowerCase().replaceAll(' ', '-'));
  for (const { alert, annotations } of rules) {
    const [file, anchor] = annotations.runbook_url.split('#');
    t.equal(file, 'docs/operations.md', alert);
    t.ok(anchors.includes(anchor), `${alert}: ${anchor}`);
  }
  t.end();
});

t.test('promtool takes the configuration and the rules', { skip }, (t) => {
  for (const file of ['prometheus.yaml', 'prometheus.cluster.yaml'])
    t.match(promtool('check', 'config', '--syntax-only', file), { status: 0 });
  t.match(promtool('check', 'rules', '--lint-fatal', 'alerts.yaml'), { status: 0 });
  t.end();
});

t.test('each alert fires for its cause, and none while all is well', { skip }, (t) => {
  t.match(promtool('test', 'rules', 'alerts.test.yaml'), { status: 0 });
  const tests = readFileSync(new URL('alerts.test.yaml', folder), 'utf8');
  for (const { alert } of rules) t.ok(tests.includes(`alertname="${alert}"`), `${alert} is tried`);
  t.end();
});
