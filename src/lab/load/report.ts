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
  readonly seed: number;
  readonly seconds: number;
  /** Asked for, in operations per second. */
  readonly rate: number | null;
  readonly operations: number;
  readonly operationsPerSecond: number;
  readonly accesses: number;
  readonly accessesPerSecond: number;
  /** Of operations: from when they were meant to begin, less what they had to wait for. */
  readonly latency: Percentiles | null;
  /** With a rate, by how much later than meant operations began. */
  readonly behind: Percentiles | null;
  /** Of timers, as the IRQ stream tells it: from a deadline to the change of the line. */
  readonly lateness: Percentiles | null;
  readonly interrupts: Balance;
  /** Rules that were broken otherwise; the first few in words. */
  readonly faults: number;
  readonly faultExamples: readonly string[];
  /** Nothing was lost or doubled, and no rule was broken. */
  readonly ok: boolean;
}

/** Null of a histogram with nothing in it. */
export function percentilesOf(histogram: RecordableHistogram): Percentiles | null {
  if (histogram.count === 0) return null;
  const at = (percentile: number) => Math.round(histogram.percentile(percentile) / 10) / 100;
  return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: Math.round(histogram.max / 10) / 100 };
}

export function textOf(report: LoadReport): string {
  const { workload, machines, vcpus, locking, seconds, rate, seed, operations, operationsPerSecond } = report;
  const where = machines === 1 ? 'one machine' : `${machines} machines`;
  const asked = rate === null ? '' : ` of ${number(rate)}/s asked for`;
  const lines = [
    `${workload}: ${vcpus} vCPUs of ${where}, ${locking}, ${seconds} s, seed ${seed}`,
    `  operations  ${number(operations)} (${number(operationsPerSecond)}/s${asked}), ${number(report.accesses)} accesses`,
  ];
  for (const [title, percentiles] of [
    ['latency', report.latency],
    ['begun late', report.behind],
    ['timers late', report.lateness],
  ] as const) {
    if (percentiles) lines.push(`  ${title.padEnd(11)} ${percentilesText(percentiles)}`);
  }
  lines.push(`  interrupts  ${interruptsText(report.interrupts)}`);
  const { faults, faultExamples, interrupts, ok } = report;
  for (const example of [...interrupts.examples, ...faultExamples]) lines.push(`  ${example}`);
  if (faults > faultExamples.length) lines.push(`  and ${faults - faultExamples.length} more like these`);
  lines.push(ok ? 'ok: nothing lost or doubled' : `FAILED: ${failureText(report)}`);
  return `${lines.join('\n')}\n`;
}

function interruptsText({ told, received, skipped }: Balance): string {
  const gaps = skipped === 0 ? '' : `; ${number(skipped)} events left out by gaps: this process read too slowly`;
  return `${number(told)} told of by the machine, ${number(received)} received${gaps}`;
}

function failureText({ interrupts: { lost, doubled }, faults }: LoadReport): string {
  const parts = [`${number(lost)} interrupts lost`, `${number(doubled)} doubled`];
  if (faults > 0) parts.push(`${number(faults)} rules broken`);
  return parts.join(', ');
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
