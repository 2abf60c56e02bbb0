import { readFileSync } from 'node:fs';
import type { ErrorObject } from 'ajv';
import { HEADERS, type HeaderRow, type OutputRow, type Row, recordsOf, type StepRow } from './trace-format.js';

/** What a trace does, in the order of its lines. */
export type Step =
  | { readonly op: 'read'; readonly address: number; readonly size: number; readonly value: bigint | undefined }
  | { readonly op: 'write'; readonly address: number; readonly size: number; readonly value: bigint }
  | { readonly op: 'clock_step'; readonly ns: number }
  | { readonly op: 'set_irq'; readonly pin: number; readonly level: number }
  | { readonly op: 'eoi'; readonly vector: number }
  | { readonly op: 'in'; readonly port: number; readonly value: bigint }
  | { readonly op: 'out'; readonly port: number; readonly value: bigint }
  /** An acknowledge cycle, which gives the vector `value`. */
  | { readonly op: 'inta'; readonly value: bigint };

/** What a machine puts out, in the words of the golden traces. */
export type Output =
  | { readonly out: 'irq'; readonly line: number; readonly level: number }
  | {
      readonly out: 'apic';
      readonly dest: number;
      readonly dest_mode: number;
      readonly delivery_mode: number;
      readonly vector: number;
      readonly trigger_mode: number;
    }
  | { readonly out: 'msi'; readonly addr: number; readonly data: number }
  | { readonly out: 'intr'; readonly level: number };

export interface TraceLine {
  /** Line number in the file, from 1. */
  readonly line: number;
  /** Guest traces: virtual time in ns at which it happened; else undefined. */
  readonly clock: number | undefined;
  readonly step: Step;
  /** Golden traces: everything that the step puts out, in order. */
  readonly outputs: Output[];
}

export interface Trace {
  readonly file: string;
  readonly format: HeaderRow['format'];
  readonly name: string;
  /** Which outputs a golden trace lists: the HPET's lines, messages to the local APICs, or the output of the 8259 pair. */
  readonly kind: 'hpet' | 'ioapic' | 'wired' | 'pic' | 'guest';
  readonly hpet: { readonly timers: number; readonly msi: boolean; readonly routingCapability: number };
  readonly ioapicVersion: number;
  readonly quirks: readonly string[];
  /** Guest traces: how often the HPET raised a line. */
  readonly raises: number;
  readonly lines: readonly TraceLine[];
}

/** A trace that cannot be read: it is cut off, or a line is not what its format says. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
}

/** A file of JSON Lines that is something else than a trace. */
export class NotATraceError extends TraceError {}

/** Reads a trace of any format. Throws TraceError with the file and line of what is wrong. */
export function readTrace(file: string): Trace {
  const texts = textOf(file).split('\n');
  if (texts.at(-1) === '') texts.pop();
  const header = readHeader(file, texts[0] ?? '');
  const guest = header.format === 'guest-trace/1';
  const lines: TraceLine[] = [];
  let clock = 0;
  for (let i = 1; i < texts.length; i++) {
    const where = `${file}:${i + 1}`;
    const row = readRecord(where, texts[i], header);
    if ((row.clock !== undefined) !== guest)
      throw new TraceError(`${where}: clock belongs in guest traces, and there only`);
    if (row.clock !== undefined && row.clock < clock) throw new TraceError(`${where}: clock goes back from ${clock}`);
    clock = row.clock ?? 0;
    if ('op' in row) lines.push({ line: i + 1, clock: row.clock, step: stepOf(where, row, guest), outputs: [] });
    // In a guest trace, what the HPET did is there for comparison only.
    else if (!guest) outputsBefore(where, lines).push(outputOf(where, row, header));
  }
  const expected = guest ? header.records : header.steps;
  const found = guest ? texts.length - 1 : lines.length;
  if (found !== expected) {
    throw new TraceError(
      `${file}: the header says ${expected} ${guest ? 'records' : 'steps'}, the file has ${found}: cut off?`,
    );
  }
  return traceOf(file, header, lines);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new TraceError(`${file}: cannot be read: ${(error as Error).message}`);
  }
}

function readHeader(file: string, text: string): HeaderRow {
  const where = `${file}:1`;
  if (text === '') throw new TraceError(`${where}: no header: the file is empty`);
  const header = parse(where, text);
  const format = header.format;
  const schema = HEADERS.get(format);
  if (!schema) {
    const known = [...HEADERS.keys()].join(' or ');
    const message = `${where}: format is ${JSON.stringify(format) ?? 'missing'}, not ${known}`;
    if (/^(hpet-ioapic|guest|pic)-trace/.test(String(format))) throw new TraceError(message);
    throw new NotATraceError(message);
  }
  return check(where, schema, header) as unknown as HeaderRow;
}

function readRecord(where: string, text: string, { format }: HeaderRow): Row {
  const row = parse(where, text);
  const word = row.op ?? row.out;
  const schema = recordsOf(format).get(word);
  if (!schema) throw new TraceError(`${where}: neither a step nor an output: ${text.slice(0, 60)}`);
  return check(where, schema, row) as unknown as Row;
}

function parse(where: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TraceError(`${where}: not a line of JSON: ${JSON.stringify(text.slice(0, 60))}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TraceError(`${where}: not a JSON object: ${text.slice(0, 60)}`);
}

type Schema = NonNullable<ReturnType<typeof HEADERS.get>>;

function check<T>(where: string, schema: Schema, value: T): T {
  if (schema(value)) return value;
  const [error] = schema.errors ?? [];
  throw new TraceError(`${where}: ${reasonOf(error)}`);
}

function reasonOf({ keyword, params, instancePath, message }: ErrorObject): string {
  if (keyword === 'additionalProperties') return `${params.additionalProperty} is no key of this record`;
  return `${instancePath.slice(1) || 'record'} ${message}`;
}

function stepOf(where: string, row: StepRow, guest: boolean): Step {
  switch (row.op) {
    case 'read':
      if (row.value !== undefined)
        return { op: 'read', ...accessOf(row), value: valueThatFits(where, row.value, row.size) };
      if (!guest) throw new TraceError(`${where}: a golden trace's read has a value`);
      return { op: 'read', ...accessOf(row), value: undefined };
    case 'write': {
      // A guest's write to half a register was recorded with what the other half kept.
      const value = guest ? BigInt.asUintN(8 * row.size, BigInt(row.value)) : valueThatFits(where, row.value, row.size);
      return { op: 'write', ...accessOf(row), value };
    }
    case 'clock_step':
      if (guest) throw new TraceError(`${where}: a guest trace's clock moves by its records`);
      return { op: 'clock_step', ns: row.ns };
    case 'set_irq':
      return { op: 'set_irq', pin: row.pin, level: row.level };
    case 'eoi':
      return { op: 'eoi', vector: row.vector };
    case 'in':
    case 'out':
      return { op: row.op, port: Number(row.port), value: BigInt(row.value) };
    case 'irq':
      return { op: 'set_irq', pin: row.irq, level: row.level };
    case 'inta':
      return { op: 'inta', value: BigInt(row.vector) };
  }
}

function accessOf({ addr, size }: { addr: string; size: number }) {
  return { address: Number(addr), size };
}

function valueThatFits(where: string, text: string, size: number): bigint {
  const value = BigInt(text);
  if (value >> BigInt(8 * size)) throw new TraceError(`${where}: value ${text} has more than ${size} bytes`);
  return value;
}

function outputsBefore(where: string, lines: readonly TraceLine[]): Output[] {
  const step = lines.at(-1);
  if (!step) throw new TraceError(`${where}: an output before the first step`);
  return step.outputs;
}

function outputOf(where: string, row: OutputRow, header: HeaderRow): Output {
  const kind = kindOf(header);
  if (!isOutputOf(kind, row.out)) throw new TraceError(`${where}: output ${row.out} in a trace of kind ${kind}`);
  return row.out === 'msi' ? { out: 'msi', addr: Number(row.addr), data: Number(row.data) } : row;
}

function kindOf(header: HeaderRow): Trace['kind'] {
  if (header.format === 'pic-trace/1') return 'pic';
  return header.format === 'guest-trace/1' ? 'guest' : header.kind;
}

/** Whether traces of a kind list an output. */
export function isOutputOf(kind: Trace['kind'], out: Output['out']): boolean {
  if (kind === 'pic' || out === 'intr') return kind === 'pic' && out === 'intr';
  if (out === 'irq') return kind === 'hpet';
  if (out === 'apic') return kind !== 'hpet';
  return true;
}

function traceOf(file: string, header: HeaderRow, lines: readonly TraceLine[]): Trace {
  const { hpet, ioapic } = header.format === 'pic-trace/1' ? ({} as { hpet?: undefined; ioapic?: undefined }) : header;
  return {
    file,
    format: header.format,
    name: header.name,
    kind: kindOf(header),
    hpet: {
      timers: hpet?.timers ?? 3,
      msi: hpet?.msi ?? false,
      routingCapability: Number(hpet?.intcap ?? 0x00ff0104),
    },
    ioapicVersion: Number(ioapic?.version ?? 0x20),
    quirks: header.format === 'hpet-ioapic-trace/1' ? header.quirks : [],
    raises: header.format === 'guest-trace/1' ? header.hpet_line_raises : 0,
    lines,
  };
}
