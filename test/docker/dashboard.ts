import { readdirSync, readFileSync } from 'node:fs';
import { hasNumbers, type PrometheusClient } from '../support/prometheus-client.js';

const folder = new URL('../../../docker/grafana/dashboards/', import.meta.url);

/** The variable by which a dashboard names its data source. */
export const CHOSEN_SOURCE = ['$', 'datasource'].join('{').concat('}');

/** A query of a panel, as the dashboard's file has it. */
export interface PanelQuery {
  readonly panel: string;
  readonly refId: string;
  readonly expression: string;
  /** For one time, and not for the whole of the range that the dashboard shows. */
  readonly isInstant: boolean;
}

export interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly instant?: boolean;
    readonly datasource: { readonly uid: string };
  }[];
}

export interface Dashboard {
  readonly file: string;
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition: string }[] };
}

export function dashboards(): Dashboard[] {
  return readdirSync(folder).map((file) => ({ file, ...JSON.parse(readFileSync(new URL(file, folder), 'utf8')) }));
}

/** All queries, but those of rows, which are headings. */
export function queriesOf({ panels }: Dashboard): PanelQuery[] {
  return panels.flatMap(({ title: panel, targets = [] }) =>
    targets.map(({ refId, expr: expression, instant }) => ({ panel, refId, expression, isInstant: instant === true })),
  );
}

/** What is shown: times in seconds since 1970, and the seconds over which rates are taken. */
export interface Shown {
  readonly start: number;
  readonly end: number;
  readonly rate: number;
}

/** The expression that Grafana sends with all machines and designs selected. */
export function substituted({ expression }: PanelQuery, { start, end, rate }: Shown): string {
  return expression
    .replaceAll('$__rate_interval', `${rate}s`)
    .replaceAll('$__range', `${Math.max(1, Math.round(end - start))}s`)
    .replace(/\$(?!__)\w+/g, '.+');
}

/** Those queries that Prometheus has no number for. Throws where it takes one for no expression. */
export async function queriesWithoutData(
  queries: readonly PanelQuery[],
  prometheus: PrometheusClient,
  shown: Shown,
): Promise<PanelQuery[]> {
  const empty: PanelQuery[] = [];
  for (const query of queries) {
    const expression = substituted(query, shown);
    const found = query.isInstant
      ? await prometheus.query(expression, shown.end)
      : await prometheus.queryRange(expression, { ...shown, step: Math.max(1, (shown.end - shown.start) / 500) });
    if (!hasNumbers(found)) empty.push(query);
  }
  return empty;
}

/** The names of metrics in an expression, and of the labels that it selects or groups by. */
export function namesIn(expression: string): { metrics: string[]; labels: string[] } {
  const bare = expression.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const metrics = [...bare.matchAll(/\b(?:southbridge|process|nodejs)_\w+/g)].map(([name]) => name);
  const groups = [...bare.matchAll(/\b(?:by|without|on|ignoring) *\(([^)]*)\)/g)].map(([, list]) => list);
  const selectors = [...bare.matchAll(/\{([^}]*)\}/g)].map(([, list]) => list.replace(/[=!~]+""/g, ''));
  const labels = [...groups, ...selectors].flatMap((list) => list.split(',').map((label) => label.trim()));
  return { metrics: [...new Set(metrics)], labels: [...new Set(labels.filter(Boolean))] };
}

/** The family of a series of a histogram. */
export function histogramOf(series: string): string {
  return series.replace(/_(bucket|sum|count)$/, '');
}
