import { SharedMemory } from '../../src/core/memory/shared-memory.js';
import { BenchMachine, type BenchOptions } from './bench-machine.js';

interface Meter {
  time: number;
  operations: number;
  /** By how much the clock moves on each time it is read, and how often it may be read. */
  step: number;
  reads: number;
}

/** Memory that counts its operations, with a host clock that stands until a test moves it. */
class MeteredMemory extends SharedMemory {
  constructor(
    buffer: SharedArrayBuffer,
    readonly meter: Meter,
  ) {
    super(buffer);
  }

  override get(address: number): number {
    this.meter.operations++;
    return super.get(address);
  }

  override set(address: number, value: number): void {
    this.meter.operations++;
    super.set(address, value);
  }

  override getTime(address: number): number {
    this.meter.operations++;
    return super.getTime(address);
  }

  override setTime(address: number, value: number): void {
    this.meter.operations++;
    super.setTime(address, value);
  }

  override load(address: number): number {
    this.meter.operations++;
    return super.load(address);
  }

  override store(address: number, value: number): void {
    this.meter.operations++;
    super.store(address, value);
  }

  override hostTime(): number {
    const { meter } = this;
    if (meter.reads-- <= 0) throw new Error('reads the clock without end');
    meter.time += meter.step;
    return meter.time;
  }
}

/**
 * A machine whose clock follows the host's, which stands until it is moved, and whose main loop runs only when
 * the test calls it: it is as late as the test needs.
 */
export class LateMachine extends BenchMachine {
  readonly #meter: Meter;

  constructor(options: Omit<BenchOptions, 'memory' | 'clock' | 'lateMainLoop'> = {}) {
    const meter = { time: 0, operations: 0, step: 0, reads: Number.POSITIVE_INFINITY };
    super({
      ...options,
      memory: (buffer) => new MeteredMemory(buffer, meter),
      clock: 'realtime',
      lateMainLoop: true,
    });
    this.#meter = meter;
  }

  /** Lets time pass to `time` (virtual ns) without the main loop running. */
  passTo(time: number): void {
    this.#meter.time = time;
  }

  /** From now on each look at the clock takes `step` ns; after `reads` looks the next one fails. */
  letClockRun(step: number, reads: number): void {
    Object.assign(this.#meter, { step, reads });
  }

  /** Runs the main loop once, and returns how many memory operations that took. */
  runMainLoop(): number {
    const before = this.#meter.operations;
    this.mainLoop.run();
    return this.#meter.operations - before;
  }
}
