import type { RecordableHistogram } from 'node:perf_hooks';
import type { Balance } from './ledger.js';

/** In microseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface LoadReport {
  readonly workload: string;
  readonly url: string;
  readonly machines: number;
  readonly vcpus: number;
  readonly locking: string;
  /** Class of the design; null if unknown. */
  readonly class: string | null;
  /** Deadlocks in the loaded machines during the run, at most 32: the server stores reports of the last 32 only. */
  readonly deadlocks: number;
  readonly seed: number;
  readonly seconds: number;
  /** The requested rate in operations per second; null if none. */
  readonly rate: number | null;
  readonly operations: number;
  readonly operationsPerSecond: number;
  readonly accesses: number;
  readonly accessesPerSecond: number;
  /** Of operations: from the intended start to completion, minus intended waiting. */
  readonly latency: Percentiles | null;
  /** With a rate: delay of an operation's start behind its intended start. */
  readonly behind: Percentiles | null;
  /** Of timers, from the IRQ stream: from the deadline to the change of the line. */
  readonly lateness: Percentiles | null;
  readonly interrupts: Balance;
  /** Violations other than lost and doubled interrupts; `faultExamples` describes the first. */
  readonly faults: number;
  readonly faultExamples: readonly string[];
  /** No interrupt was lost or doubled, and there was no other violation. */
  readonly ok: boolean;
}

/** Null for an empty histogram. */
export function percentilesOf(histogram: RecordableHistogram): Percentiles | null {
  if (histogram.count === 0) return null;
  const at = (percentile: number) => Math.round(histogram.percentile(percentile) / 10) / 100;
  return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: Math.round(histogram.max / 10) / 100 };
}

/** `paint` colours the verdict. */
export function textOf(report: LoadReport, paint: (text: string, isOk: boolean) => string = (text) => text): string {
  const { workload, machines, vcpus, locking, seconds, rate, seed, operations, operationsPerSecond } = report;
  const where = machines === 1 ? 'one machine' : `${machines} machines`;
  const asked = rate === null ? '' : ` of ${number(rate)}/s requested`;
  const lines = [
    `${workload}: ${vcpus} vCPUs of ${where}, ${locking}, ${seconds} s, seed ${seed}`,
    `  operations  ${number(operations)} (${number(operationsPerSecond)}/s${asked}), ${number(report.accesses)} accesses`,
  ];
  for (const [title, percentiles] of [
    ['latency', report.latency],
    ['start delay', report.behind],
    ['lateness', report.lateness],
  ] as const) {
    if (percentiles) lines.push(`  ${title.padEnd(11)} ${percentilesText(percentiles)}`);
  }
  lines.push(`  interrupts  ${interruptsText(report.interrupts)}`);
  const { faults, faultExamples, interrupts, ok } = report;
  for (const example of [...interrupts.examples, ...faultExamples]) lines.push(`  ${example}`);
  if (faults > faultExamples.length) lines.push(`  and ${faults - faultExamples.length} more violations`);
  lines.push(
    paint(ok ? `ok: no interrupt lost or doubled${designText(report)}` : `FAILED: ${failureText(report)}`, ok),
  );
  return `${lines.join('\n')}\n`;
}

function interruptsText({ reported, received, skipped }: Balance): string {
  const gaps = skipped === 0 ? '' : `; ${number(skipped)} events skipped by gaps: this process read too slowly`;
  return `${number(reported)} in the IRQ stream, ${number(received)} received by vCPUs${gaps}`;
}

/** The deadlocks of the run, and the risk of a design that is not safe. */
function designText({ locking, class: kind, deadlocks }: LoadReport): string {
  const met = deadlocks === 0 ? '' : `; ${deadlocks === 1 ? '1 deadlock' : `${number(deadlocks)} deadlocks`} occurred`;
  if (kind === 'safe' || kind === 'coalescing') return met;
  const risk: { readonly [kind: string]: string } = {
    unsafe: 'unsafe: its threads can deadlock or race',
    stale: 'stale: a line can stay at an old level',
  };
  return `${met}, but the design ${locking} is ${risk[kind ?? ''] ?? 'of unknown class'}`;
}

function failureText(report: LoadReport): string {
  const { interrupts, faults } = report;
  const { lost, doubled } = interrupts;
  const parts = [`${number(lost)} interrupts lost`, `${number(doubled)} doubled`];
  if (faults > 0) parts.push(`${number(faults)} other violations`);
  return `${parts.join(', ')}${designText(report)}`;
}

function percentilesText({ p50, p90, p99, p999, max }: Percentiles): string {
  const parts = { p50, p90, p99, 'p99.9': p999, max };
  return Object.entries(parts)
    .map(([name, value]) => `${name} ${time(value)}`)
    .join(', ');
}

function time(us: number): string {
  if (us < 1000) return `${Math.round(us)} µs`;
  return us < 1e6 ? `${(us / 1000).toFixed(1)} ms` : `${(us / 1e6).toFixed(2)} s`;
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
