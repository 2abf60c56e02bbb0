/** One line of a scrape. */
export interface ScrapedSample {
  readonly name: string;
  readonly labels: { readonly [name: string]: string };
  readonly value: number;
}

/** A family of a scrape: what stands between one HELP line and the next. */
export interface ScrapedFamily {
  readonly name: string;
  readonly help: string;
  type: string;
  readonly samples: ScrapedSample[];
}

const COMMENT = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?/y;

/** Parses Prometheus' text format, strictly: throws at the first line that is none. */
export function parseExposition(text: string): Map<string, ScrapedFamily> {
  const families = new Map<string, ScrapedFamily>();
  let current: ScrapedFamily | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, keyword, name, rest] = COMMENT.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (families.has(name)) throw new Error(`${name} comes twice`);
      current = { name, help: rest, type: '', samples: [] };
      families.set(name, current);
    } else if (keyword === 'TYPE') {
      if (current?.name !== name || current.type) throw new Error(`TYPE of ${name} out of place`);
      current.type = rest;
    } else {
      if (!current?.type) throw new Error(`sample before its TYPE: ${line}`);
      current.samples.push(parseSample(line));
    }
  }
  return families;
}

function parseSample(line: string): ScrapedSample {
  const [all, name, labelText, number] = SAMPLE.exec(line) ?? [];
  if (all === undefined) throw new Error(`not a sample: ${line}`);
  const value = number === '+Inf' ? Number.POSITIVE_INFINITY : Number(number);
  if (Number.isNaN(value) && number !== 'NaN' && number !== 'Nan') throw new Error(`not a number: ${line}`);
  return { name, labels: parseLabels(labelText ?? '', line), value };
}

function parseLabels(text: string, line: string): { [name: string]: string } {
  const labels: { [name: string]: string } = {};
  let at = 0;
  while (at < text.length) {
    LABEL.lastIndex = at;
    const match = LABEL.exec(text);
    if (!match || match[1] in labels) throw new Error(`bad labels: ${line}`);
    labels[match[1]] = match[2];
    at = LABEL.lastIndex;
  }
  return labels;
}

/** The family that a sample belongs to, of a histogram without its suffix. */
export function baseName(sample: ScrapedSample, { type }: ScrapedFamily): string {
  return type === 'histogram' || type === 'summary' ? sample.name.replace(/_(bucket|sum|count)$/, '') : sample.name;
}

/** The sum of the samples of this name whose labels include these. */
export function total(
  families: Map<string, ScrapedFamily>,
  name: string,
  labels: { readonly [name: string]: string } = {},
): number {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  if (!family) throw new Error(`no family ${name}`);
  return family.samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
