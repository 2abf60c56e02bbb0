import { BUCKET_BOUNDS } from '../../runtime/memory/statistics-layout.js';
import type { Family, Sample } from './family.js';
import type { Labels } from './figures.js';

/** The text formats of a scrape, by name, with their content types. */
export const FORMATS = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const;
export type Format = keyof typeof FORMATS;

/** The format that an `Accept` header prefers (RFC 9110, 12.5.1). OpenMetrics 1.0 wins if its weight is at least that of plain text. */
export function formatFor(accept: string): Format {
  let [open, plain] = [0, 0];
  for (const range of accept.toLowerCase().split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim());
    const value = (name: string) => parameters.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
    const weight = Number(value('q') ?? 1);
    const version = value('version')?.replaceAll('"', '');
    if (type === 'application/openmetrics-text') {
      if (version === undefined || version === '1.0.0') open = Math.max(open, weight);
    } else if (['text/plain', 'text/*', '*/*'].includes(type)) plain = Math.max(plain, weight);
  }
  return open > 0 && open >= plain ? 'openmetrics' : 'prometheus';
}

const BUCKET_LABELS = [...BUCKET_BOUNDS.map((bound) => bound / 1e9), '+Inf'].map((bound) => `le="${bound}"`);
/** Lines of one histogram. */
const HISTOGRAM_LINES = BUCKET_LABELS.length + 2;

export function linesOf(sample: Sample): number {
  return 'value' in sample ? 1 : HISTOGRAM_LINES;
}

/** One family as text, without a trailing newline. */
export function familyText({ name, help, type }: Family, samples: readonly Sample[], format: Format): string {
  const lines = [...headOf(name, help, type, format)];
  for (const sample of samples) {
    const labels = labelsText(sample.labels);
    if ('value' in sample) lines.push(`${name}${braced(labels)} ${numberText(sample.value)}`);
    else addHistogram(lines, name, labels, sample.durations);
  }
  return lines.join('\n');
}

function addHistogram(lines: string[], name: string, labels: string, { buckets, sum }: Durations): void {
  const separator = labels === '' ? '' : ',';
  let count = 0;
  for (const [index, bucket] of BUCKET_LABELS.entries()) {
    count += buckets[index];
    lines.push(`${name}_bucket{${labels}${separator}${bucket}} ${count}`);
  }
  lines.push(`${name}_sum${braced(labels)} ${numberText(sum / 1e9)}`, `${name}_count${braced(labels)} ${count}`);
}

type Durations = Extract<Sample, { readonly durations: unknown }>['durations'];

/** In OpenMetrics, the family name of a counter lacks the `_total` that its samples carry. */
function headOf(name: string, help: string, type: string, format: Format): readonly string[] {
  const isOpen = format === 'openmetrics';
  const family = isOpen && type === 'counter' ? name.replace(/_total$/, '') : name;
  const text = escaped(help);
  return [`# HELP ${family} ${isOpen ? text.replaceAll('"', '\\"') : text}`, `# TYPE ${family} ${type}`];
}

/** Converts the Prometheus text of prom-client into OpenMetrics. */
export function toOpenMetrics(text: string): string {
  return text
    .replace(/^# HELP (\S+?)_total (.*)\n# TYPE \1_total counter$/gm, '# HELP $1 $2\n# TYPE $1 counter')
    .replace(/^(# HELP .*)$/gm, (head) => head.replaceAll('"', '\\"'));
}

function labelsText(labels: Labels): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}="${escaped(value).replaceAll('"', '\\"')}"`)
    .join(',');
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function escaped(text: string): string {
  if (!/[\\\n]/.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
