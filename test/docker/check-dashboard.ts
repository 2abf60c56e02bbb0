/**
 * Asks a Prometheus for every query of the dashboard, as Grafana would: node dist/test/docker/check-dashboard.js URL MINUTES.
 * Exit status 1 if for any of them it has had nothing in that many minutes.
 */
import { PrometheusClient } from '../support/prometheus-client.js';
import { dashboards, queriesOf, queriesWithoutData } from './dashboard.js';

/** Four times the interval of docker/prometheus/prometheus.yaml, as in Grafana. */
const RATE_SECONDS = 8;

const [url = 'http://127.0.0.1:9090', minutes = '15'] = process.argv.slice(2);
const end = Date.now() / 1e3;
const shown = { start: end - Number(minutes) * 60, end, rate: RATE_SECONDS };
const prometheus = new PrometheusClient(url);
for (const dashboard of dashboards()) {
  const queries = queriesOf(dashboard);
  const empty = await queriesWithoutData(queries, prometheus, shown);
  for (const query of queries) {
    const { panel, refId } = query;
    console.log(`${empty.includes(query) ? 'NO DATA' : 'data   '}  ${panel} (${refId})`);
  }
  const panels = new Set(queries.map(({ panel }) => panel)).size;
  console.log(`${dashboard.file}: ${panels} panels, ${queries.length} queries, ${empty.length} without data`);
  if (empty.length > 0) process.exitCode = 1;
}
