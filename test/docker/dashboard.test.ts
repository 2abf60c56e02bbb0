import t from 'tap';
import { parseExposition } from '../support/exposition.js';
import { TestServer } from '../support/server.js';
import { CHOSEN_SOURCE, dashboards, histogramOf, namesIn, queriesOf } from './dashboard.js';

/** What Prometheus adds to every series. */
const ADDED = ['job', 'instance'];

t.test('what the parts of a query are', (t) => {
  t.same(
    namesIn('sum by (lock, le) (rate(southbridge_a_bucket{machine=~"$machine", locking!="southbridge_x{"}[5m]))'),
    {
      metrics: ['southbridge_a_bucket'],
      labels: ['lock', 'le', 'machine', 'locking'],
    },
  );
  t.end();
});

t.test('every query of the dashboards is about metrics and labels that a server has', async (t) => {
  const { FAMILIES } = await import('../../src/server/metrics/families.js');
  const server = await TestServer.start();
  t.teardown(() => server.stop());
  const scraped = parseExposition(await server.get('/metrics'));
  const own = new Map(FAMILIES.map(({ name, type, labels }) => [name, { type, labels }]));

  for (const dashboard of dashboards()) {
    const variables = dashboard.templating.list.map(({ name }) => name);
    const queries = queriesOf(dashboard);
    t.ok(queries.length > 30, `${dashboard.file} has ${queries.length} queries`);
    for (const { panel, refId, expression } of queries) {
      const { metrics, labels } = namesIn(expression);
      const where = `${panel} (${refId})`;
      t.ok(metrics.length > 0, `${where} asks for a metric`);
      const fitting = new Set(ADDED);
      for (const metric of metrics) {
        const type = own.get(metric)?.type ?? scraped.get(metric)?.type;
        const histogram = own.get(histogramOf(metric)) ?? scraped.get(histogramOf(metric));
        const isHistogram = type === undefined && histogram?.type === 'histogram';
        t.ok((type && type !== 'histogram') || isHistogram, `${where}: ${metric} is a series of the server`);
        for (const label of own.get(isHistogram ? histogramOf(metric) : metric)?.labels ?? []) fitting.add(label);
        if (metric.endsWith('_bucket')) fitting.add('le');
      }
      for (const label of labels) t.ok(fitting.has(label), `${where}: ${metrics.join(', ')} has the label ${label}`);
      const used = [...expression.matchAll(/\$(\w+)/g)]
        .map(([, name]) => name)
        .filter((name) => !name.startsWith('__'));
      for (const name of used) t.ok(variables.includes(name), `${where}: there is a variable ${name}`);
    }
  }
});

t.test('every query is of the chosen servers, and of the chosen data source', (t) => {
  for (const dashboard of dashboards()) {
    const { file, annotations } = dashboard;
    for (const { panel, refId, expression } of queriesOf(dashboard)) {
      for (const [, rest] of expression.matchAll(/\b(?:southbridge|process|nodejs)_\w+(.{0,25})/g)) {
        t.ok(rest.startsWith('{instance=~"$instance"'), `${file}: ${panel} (${refId})`);
      }
    }
    const sources = JSON.stringify(dashboard).matchAll(/"datasource":\{"type":"prometheus","uid":"([^"]*)"/g);
    t.same([...new Set([...sources].map(([, uid]) => uid))], [CHOSEN_SOURCE], file);
    t.same(
      annotations.list.map(({ name }) => name),
      ['Deadlocks', 'Restarts'],
      file,
    );
    for (const { name, expr } of annotations.list) {
      for (const metric of namesIn(expr).metrics) {
        t.match(metric, /^(southbridge_deadlocks_total|process_start_time_seconds)$/, name);
      }
    }
  }
  t.end();
});

t.test('panels lie side by side, each with a number of its own', (t) => {
  for (const { file, panels } of dashboards()) {
    t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, `${file}: numbers`);
    for (const panel of panels) {
      const { x, y, w, h } = panel.gridPos;
      t.ok(x + w <= 24, `${panel.title} is within the width`);
      const over = panels.find(({ gridPos: other, id }) => {
        if (id === panel.id) return false;
        return x < other.x + other.w && other.x < x + w && y < other.y + other.h && other.y < y + h;
      });
      t.equal(over?.title, undefined, `${panel.title} lies over no other`);
      if (panel.type !== 'row') t.ok(panel.targets?.length, `${panel.title} has a query`);
    }
  }
  t.end();
});
