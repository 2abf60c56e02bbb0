import { existsSync } from 'node:fs';
import t from 'tap';
import type { ReferenceEvent } from '../../../src/lab/explore/reference/events.js';
import { MachineModel } from '../../../src/lab/explore/reference/machine.js';
import { findTraces } from '../../../src/lab/replay/find.js';
import { isOutputOf, type Output, readTrace, type Step, type Trace } from '../../../src/lab/replay/trace.js';

/** The event in the words of the traces, which do not list lines that the replay itself drives. */
function outputOf(event: ReferenceEvent): Output | undefined {
  switch (event.kind) {
    case 'line':
      return event.driver === 'external' ? undefined : { out: 'irq', line: event.line, level: event.level };
    case 'apic':
      return {
        out: 'apic',
        dest: event.destination,
        dest_mode: event.destinationMode,
        delivery_mode: event.deliveryMode,
        vector: event.vector,
        trigger_mode: event.trigger,
      };
    case 'msi':
      return { out: 'msi', addr: event.address, data: event.data };
    case 'intr':
      return { out: 'intr', level: event.level };
  }
}

/** Executes a step, and what is due after it; returns what it reads. */
function perform(machine: MachineModel, step: Step): bigint | undefined {
  switch (step.op) {
    case 'read':
      return machine.read(step.address, step.size) ?? 0n;
    case 'write':
      machine.write(step.address, step.size, step.value);
      break;
    case 'clock_step':
      machine.advance(BigInt(step.ns));
      break;
    case 'set_irq':
      machine.setLine(step.pin, step.level);
      break;
    case 'eoi':
      machine.endOfInterrupt(step.vector);
      break;
    case 'in':
      return BigInt(machine.portRead(step.port) ?? 0);
    case 'out':
      machine.portWrite(step.port, Number(step.value));
      break;
    case 'inta':
      return BigInt(machine.acknowledgeInterrupt());
  }
  machine.applyAll();
  machine.runDue();
  return undefined;
}

/** The first step at which the reference differs from a trace; undefined if none does. */
function difference(trace: Trace): string | undefined {
  const machine = new MachineModel({
    hpet: trace.hpet,
    ioapic: { version: trace.ioapicVersion, id: 0 },
    hasPic: trace.kind === 'pic',
  });
  for (const { line, step, outputs } of trace.lines) {
    const value = perform(machine, step);
    const found = machine.events.splice(0).flatMap((event) => outputOf(event) ?? []);
    const emitted = found.filter(({ out }) => isOutputOf(trace.kind, out));
    const expected = 'value' in step && step.op !== 'write' && step.op !== 'out' ? step.value : undefined;
    if (value !== expected) return `${trace.name}:${line}: ${step.op} gives ${value}, not ${expected}`;
    const [one, other] = [emitted, outputs].map((list) =>
      JSON.stringify(list.map((output) => Object.entries(output).sort())),
    );
    if (one !== other) return `${trace.name}:${line}: ${step.op} puts out ${one}, not ${other}`;
  }
  return undefined;
}

/** More recorded traces than the repository has, if there are any. */
const MORE = process.env.MORE_VECTORS;

t.test('the reference replays every golden trace', async (t) => {
  const files = await findTraces(['test/vectors', ...(MORE && existsSync(MORE) ? [MORE] : [])]);
  const traces = files.map(({ file }) => readTrace(file)).filter(({ format }) => format !== 'guest-trace/1');
  t.ok(traces.length >= 219, `${traces.length} traces`);
  t.same(
    traces.flatMap((trace) => difference(trace) ?? []),
    [],
  );
});
