import type { SharedMemory } from '../../core/memory/shared-memory.js';
import { STATISTICS_OPTIONS, STATISTICS_TRACED } from '../../core/sync/statistics.js';
import { MAX_THREADS } from '../../core/sync/wait-graph.js';
import { GATEWAY_THREAD, machineAt, type SharedMap, threadName } from '../memory/shared-map.js';
import { traceRingAt } from '../memory/trace-map.js';
import { readRing, writtenTo } from '../memory/trace-ring.js';
import type { MachineTrace, ThreadRecords } from './machine-trace.js';

/** Where the trace of a machine begins: host time in ns, and a position in the ring of each thread. */
interface Beginning {
  readonly time: number;
  readonly positions: readonly number[];
}

/** Turns the trace of machines on and off and reads it, without taking a lock: also while threads hang. */
export class TraceView {
  readonly #beginnings = new Map<number, Beginning>();

  constructor(
    readonly shared: SharedMemory,
    readonly map: SharedMap,
  ) {}

  /** A machine is made in this slot; it has no trace. */
  begin(slot: number): void {
    this.#beginnings.delete(slot);
  }

  isOn(slot: number): boolean {
    return (this.shared.load(this.#optionsOf(slot)) & STATISTICS_TRACED) !== 0;
  }

  /** Begins from scratch if it was off. A thread that is inside the machine follows with its next request or round. */
  turnOn(slot: number): void {
    if (this.isOn(slot) || this.map.traceRecords === 0) return;
    const threads = Array.from({ length: MAX_THREADS }, (_, thread) => thread);
    this.#beginnings.set(slot, {
      time: this.shared.hostTime(),
      positions: threads.map((thread) => writtenTo(this.shared, traceRingAt(this.map, thread))),
    });
    this.shared.or(this.#optionsOf(slot), STATISTICS_TRACED);
  }

  /** What was recorded stays until it is overwritten. */
  turnOff(slot: number): void {
    const options = this.#optionsOf(slot);
    this.shared.store(options, this.shared.load(options) & ~STATISTICS_TRACED);
  }

  /** By thread: records since the trace was turned on, of all machines that are traced, and how many were overwritten. */
  written(slot: number): { [thread: string]: { written: number; overwritten: number } } {
    const positions = this.#beginnings.get(slot)?.positions ?? [];
    const threads = positions.map((from, thread) => {
      const written = writtenTo(this.shared, traceRingAt(this.map, thread)) - from;
      const overwritten = Math.max(0, written - this.map.traceRecords);
      return [threadName(thread, this.map, this.shared), { written, overwritten }] as const;
    });
    return Object.fromEntries(threads.filter(([, { written }]) => written > 0));
  }

  /** Undefined if the machine was never traced. */
  read(slot: number): MachineTrace | undefined {
    const beginning = this.#beginnings.get(slot);
    if (!beginning) return undefined;
    // What is read later of one thread than of another must not be taken for simultaneous.
    const until = this.shared.hostTime();
    const threads = new Map<number, ThreadRecords>();
    for (let thread = GATEWAY_THREAD; thread < MAX_THREADS; thread++) {
      const from = beginning.positions[thread];
      const at = traceRingAt(this.map, thread);
      if (writtenTo(this.shared, at) === from) continue;
      const { records, overwritten } = readRing(
        this.shared,
        at,
        this.map.traceRecords,
        from,
        machineAt(this.map, slot),
      );
      threads.set(thread, {
        name: threadName(thread, this.map, this.shared),
        records: records.filter(({ time }) => time <= until),
        overwritten,
      });
    }
    return { from: beginning.time, until, threads };
  }

  #optionsOf(slot: number): number {
    return machineAt(this.map, slot) + STATISTICS_OPTIONS;
  }
}
