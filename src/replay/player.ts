import type { Outcome, ReplayMachine } from './target.js';
import type { Output, Step, Trace, TraceLine } from './trace.js';

/** The first difference between a trace and a machine. */
export interface Mismatch {
  readonly file: string;
  readonly line: number;
  readonly step: string;
  readonly expected: string;
  readonly got: string;
}

/** Steps under way at a time: enough to hide the way to a server and back. */
const WINDOW = 256;

/** How far the number of raised lines may be from the recorded one: the recording's clock is interpolated. */
const RAISES_TOLERANCE = 0.03;

/**
 * Replays a trace. Of a golden trace every value and output must match; of a guest trace every recorded value, and the
 * number of times that the HPET raised a line. Returns the first mismatch, if any.
 */
export async function play(
  trace: Trace,
  machine: ReplayMachine,
  onProgress?: (done: number) => void,
): Promise<Mismatch | undefined> {
  const golden = trace.format === 'hpet-ioapic-trace/1';
  const underway: { line: TraceLine | undefined; outcome: Promise<Outcome> }[] = [];
  let clock = 0;
  let raises = 0;
  let done = 0;

  const settle = async (limit: number): Promise<Mismatch | undefined> => {
    while (underway.length > limit) {
      const { line, outcome } = underway.shift()!;
      const { value, outputs } = await outcome;
      for (const output of outputs) if (output.out === 'irq' && output.level === 1) raises++;
      if (!line) continue;
      onProgress?.(++done);
      const mismatch = compare(trace, line, value, golden ? outputs : undefined);
      if (mismatch) return mismatch;
    }
    return undefined;
  };

  for (const line of trace.lines) {
    if (line.clock !== undefined && line.clock > clock) {
      underway.push({ line: undefined, outcome: machine.perform({ op: 'clock_step', ns: line.clock - clock }) });
      clock = line.clock;
    }
    underway.push({ line, outcome: machine.perform(line.step) });
    const mismatch = await settle(WINDOW);
    if (mismatch) {
      await Promise.all(underway.map(({ outcome }) => outcome));
      return mismatch;
    }
  }
  const mismatch = await settle(0);
  if (mismatch || golden || Math.abs(raises - trace.raises) <= trace.raises * RAISES_TOLERANCE) return mismatch;
  return {
    file: trace.file,
    line: trace.lines.at(-1)?.line ?? 1,
    step: 'end of trace',
    expected: `HPET lines raised ${trace.raises} times, within ${RAISES_TOLERANCE * 100} %`,
    got: `${raises} times`,
  };
}

function compare(
  trace: Trace,
  { line, step, outputs: expected }: TraceLine,
  value: bigint | undefined,
  outputs: readonly Output[] | undefined,
): Mismatch | undefined {
  const at = { file: trace.file, line, step: describe(step) };
  // Where no device answers, a bus reads 0.
  if (step.op === 'read' && step.value !== undefined && (value ?? 0n) !== step.value) {
    return { ...at, expected: hex(step.value, step.size), got: hex(value ?? 0n, step.size) };
  }
  if (!outputs) return undefined;
  const told = outputs.filter((output) => isToldOf(trace, output)).map(render);
  const wanted = expected.map(render);
  if (told.join() === wanted.join()) return undefined;
  return { ...at, expected: wanted.join(', ') || 'no output', got: told.join(', ') || 'no output' };
}

function isToldOf(trace: Trace, output: Output): boolean {
  if (output.out === 'irq') return trace.kind === 'hpet';
  if (output.out === 'apic') return trace.kind !== 'hpet';
  return true;
}

function render(output: Output): string {
  switch (output.out) {
    case 'irq':
      return `line ${output.line} = ${output.level}`;
    case 'apic':
      return `apic(dest ${output.dest}, dest_mode ${output.dest_mode}, delivery_mode ${output.delivery_mode}, vector ${output.vector}, trigger_mode ${output.trigger_mode})`;
    case 'msi':
      return `msi(${Number(output.addr)}, ${Number(output.data)})`;
  }
}

function describe(step: Step): string {
  switch (step.op) {
    case 'read':
      return `read ${step.size} bytes at 0x${step.address.toString(16)}`;
    case 'write':
      return `write ${hex(step.value, step.size)} to 0x${step.address.toString(16)}`;
    case 'clock_step':
      return `clock_step ${step.ns} ns`;
    case 'set_irq':
      return `set_irq pin ${step.pin} level ${step.level}`;
    case 'eoi':
      return `eoi vector ${step.vector}`;
  }
}

function hex(value: bigint, size: number): string {
  return `0x${value.toString(16).padStart(2 * size, '0')}`;
}
