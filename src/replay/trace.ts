import { readFileSync } from 'node:fs';

/** What a trace does, in the order of its lines. */
export type Step =
  | { readonly op: 'read'; readonly address: number; readonly size: number; readonly value: bigint | undefined }
  | { readonly op: 'write'; readonly address: number; readonly size: number; readonly value: bigint }
  | { readonly op: 'clock_step'; readonly ns: number }
  | { readonly op: 'set_irq'; readonly pin: number; readonly level: number }
  | { readonly op: 'eoi'; readonly vector: number };

export type Operation = Step['op'];

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
  | { readonly out: 'msi'; readonly addr: string; readonly data: string };

export interface TraceLine {
  /** Line number in the file, from 1. */
  readonly line: number;
  /** Guest traces: virtual time at which it happened; else undefined. */
  readonly clock: number | undefined;
  readonly step: Step;
  /** Golden traces: everything that the step puts out, in order. */
  readonly outputs: Output[];
}

export interface Trace {
  readonly file: string;
  readonly format: 'hpet-ioapic-trace/1' | 'guest-trace/1';
  readonly name: string;
  /** Which outputs a golden trace tells of: the HPET's lines, or what reaches the local APICs. */
  readonly kind: 'hpet' | 'ioapic' | 'wired' | 'guest';
  readonly hpet: { readonly timers: number; readonly msi: boolean; readonly routingCapability: number };
  readonly ioapicVersion: number;
  readonly quirks: readonly string[];
  /** Guest traces: how often the HPET raised a line. */
  readonly raises: number;
  readonly lines: readonly TraceLine[];
}

/** A file that is not a trace, or is cut off. */
export class TraceError extends Error {}

interface Row {
  op?: Operation;
  out?: string;
  clock?: number;
  addr?: string;
  size?: number;
  value?: string;
  ns?: number;
  pin?: number;
  level?: number;
  vector?: number;
}

/** Reads a trace of either format. Throws TraceError with the file and line of what is wrong. */
export function readTrace(file: string): Trace {
  const rows = readFileSync(file, 'utf8').split('\n');
  if (rows.at(-1) === '') rows.pop();
  const parse = (text: string, line: number) => {
    try {
      return JSON.parse(text);
    } catch {
      throw new TraceError(`${file}:${line}: not a line of JSON`);
    }
  };
  const header = parse(rows[0] ?? '', 1);
  if (header.format !== 'hpet-ioapic-trace/1' && header.format !== 'guest-trace/1') {
    throw new TraceError(
      `${file}:1: format is ${JSON.stringify(header.format)}, not hpet-ioapic-trace/1 or guest-trace/1`,
    );
  }
  const guest = header.format === 'guest-trace/1';
  const lines: TraceLine[] = [];
  for (let i = 1; i < rows.length; i++) {
    const row: Row = parse(rows[i], i + 1);
    if (row.op) lines.push({ line: i + 1, clock: row.clock, step: stepOf(row, `${file}:${i + 1}`), outputs: [] });
    // A guest trace tells only for comparison what the HPET did.
    else if (row.out && !guest) (lines.at(-1) as TraceLine).outputs.push(row as unknown as Output);
  }
  const expected = guest ? header.records : header.steps;
  const found = guest ? rows.length - 1 : lines.length;
  if (found !== expected) throw new TraceError(`${file}: cut off: ${found} of ${expected} records`);
  return {
    file,
    format: header.format,
    name: header.name,
    kind: guest ? 'guest' : header.kind,
    hpet: {
      timers: header.hpet?.timers ?? 3,
      msi: header.hpet?.msi ?? false,
      routingCapability: Number(header.hpet?.intcap ?? 0),
    },
    ioapicVersion: Number(header.ioapic?.version ?? 0x20),
    quirks: header.quirks ?? [],
    raises: header.hpet_line_raises ?? 0,
    lines,
  };
}

function stepOf(row: Row, where: string): Step {
  switch (row.op) {
    case 'read':
      return {
        op: 'read',
        address: Number(row.addr),
        size: row.size as number,
        value: row.value === undefined ? undefined : BigInt(row.value),
      };
    case 'write':
      return { op: 'write', address: Number(row.addr), size: row.size as number, value: BigInt(row.value as string) };
    case 'clock_step':
      return { op: 'clock_step', ns: row.ns as number };
    case 'set_irq':
      return { op: 'set_irq', pin: row.pin as number, level: row.level as number };
    case 'eoi':
      return { op: 'eoi', vector: row.vector as number };
    default:
      throw new TraceError(`${where}: unknown op ${JSON.stringify(row.op)}`);
  }
}
