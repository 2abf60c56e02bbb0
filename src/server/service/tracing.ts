import { SouthbridgeError } from '../../errors.js';
import { perfettoTrace } from '../../runtime/trace/perfetto.js';
import type { MachineHandle } from './machine-handle.js';

/** Turns the trace of a machine on, from now on, or off. On: throws as `requireOpen`. */
export function setTracing(machine: MachineHandle, enabled: boolean): void {
  const { engine, options } = machine;
  if (enabled) {
    machine.requireOpen();
    engine.traces.turnOn(options.slot);
  } else {
    engine.traces.turnOff(options.slot);
  }
}

/** Whether a machine is traced, and how much the threads have written since that began. */
export function describeTracing({ engine, options }: MachineHandle) {
  const { traces } = engine;
  return {
    enabled: traces.isOn(options.slot),
    recordsPerThread: engine.map.traceRecords,
    threads: traces.written(options.slot),
  };
}

/** The trace as a file for Perfetto, in pieces. Throws `not-traced`. */
export function perfettoFile(machine: MachineHandle): Iterable<string> {
  const { engine, options, name, locking } = machine;
  const trace = engine.traces.read(options.slot);
  if (!trace) throw new SouthbridgeError('not-traced', { machine: name });
  return perfettoTrace(trace, {
    machine: name,
    locking: locking.name,
    capacity: engine.map.traceRecords,
  });
}
