/** A series of an answer: one value, or one for each step of a range, each with its time in seconds. */
export interface PrometheusSeries {
  readonly metric: { readonly [label: string]: string };
  readonly value?: readonly [time: number, value: string];
  readonly values?: readonly (readonly [time: number, value: string])[];
}

/** Times in seconds since 1970. */
export interface QueryRange {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** What is asked of Prometheus' HTTP API. */
export class PrometheusClient {
  constructor(readonly url: string) {}

  /** Throws if Prometheus cannot be reached, or takes the expression for none. */
  query(expression: string, time?: number): Promise<PrometheusSeries[]> {
    return this.#ask('query', { query: expression, ...(time !== undefined && { time: String(time) }) });
  }

  queryRange(expression: string, { start, end, step }: QueryRange): Promise<PrometheusSeries[]> {
    return this.#ask('query_range', { query: expression, start: String(start), end: String(end), step: String(step) });
  }

  async #ask(what: string, parameters: { [name: string]: string }): Promise<PrometheusSeries[]> {
    const response = await fetch(`${this.url}/api/v1/${what}`, {
      method: 'POST',
      body: new URLSearchParams(parameters),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${what} ${parameters.query}: ${response.status} ${text}`);
    const { data } = JSON.parse(text) as { data: { result: PrometheusSeries[] } };
    return data.result;
  }
}

/** Whether there is any number among the values; a quantile of nothing is NaN, and is none. */
export function hasNumbers(series: readonly PrometheusSeries[]): boolean {
  return series.some(({ value, values }) =>
    (values ?? (value ? [value] : [])).some(([, text]) => Number.isFinite(Number(text))),
  );
}
