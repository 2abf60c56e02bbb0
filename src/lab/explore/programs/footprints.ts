import type { Design } from '../../../core/locking/axes.js';
import { SharedMemory } from '../../../core/memory/shared-memory.js';
import { NO_STATISTICS } from '../../../core/sync/statistics.js';
import { Thread } from '../../../core/sync/thread.js';
import { MAIN_LOOP_THREAD, machineAt } from '../../../runtime/memory/shared-map.js';
import { DeadlineQueue } from '../../../runtime/rings/deadline-queue.js';
import { STEP } from '../../../runtime/rings/submission-ring.js';
import { MainLoop } from '../../../runtime/threads/main-loop.js';
import { performRequest, setUp } from '../fixture.js';
import { CALLBACK, CONTROL_WORK, REQUESTS } from './operations.js';
import { programOf, scenarioOf } from './program.js';

/** Words of the machine that an operation reads and writes, and the locks that it takes, as absolute addresses. */
export interface Footprint {
  readonly reads: ReadonlySet<number>;
  readonly writes: ReadonlySet<number>;
  readonly locks: ReadonlySet<number>;
}

/** Records where it is accessed. */
class RecordingMemory extends SharedMemory {
  time = 0;
  readonly reads = new Set<number>();
  readonly writes = new Set<number>();

  override hostTime(): number {
    return this.time;
  }
  override get(address: number): number {
    this.reads.add(this.base + address);
    return super.get(address);
  }
  override set(address: number, value: number): void {
    this.writes.add(this.base + address);
    super.set(address, value);
  }
  override getTime(address: number): number {
    this.reads.add(this.base + address);
    return super.getTime(address);
  }
  override setTime(address: number, value: number): void {
    this.writes.add(this.base + address);
    super.setTime(address, value);
  }
  override load(address: number): number {
    this.reads.add(this.base + address);
    return super.load(address);
  }
  override store(address: number, value: number): void {
    this.writes.add(this.base + address);
    super.store(address, value);
  }
  override exchange(address: number, value: number): number {
    this.writes.add(this.base + address);
    return super.exchange(address, value);
  }
  override compareExchange(address: number, expected: number, value: number): number {
    this.writes.add(this.base + address);
    return super.compareExchange(address, expected, value);
  }
  override add(address: number, value: number): number {
    this.writes.add(this.base + address);
    return super.add(address, value);
  }
  override or(address: number, value: number): number {
    this.writes.add(this.base + address);
    return super.or(address, value);
  }
}

/** Runs an operation alone on a prepared machine. */
export function footprintOf(machine: string, operation: string, design: Design): Footprint {
  const thread = operation === CALLBACK ? 'main' : Object.hasOwn(CONTROL_WORK, operation) ? 'gateway' : 'vcpu0';
  const scenario = scenarioOf(programOf(machine, [{ name: operation, thread, follows: false }]));
  const { map, names, initial } = setUp(scenario, design);
  const buffer = new SharedArrayBuffer(initial.byteLength);
  new Int32Array(buffer).set(initial);
  const memory = new RecordingMemory(buffer);
  [memory.time] = scenario.times;
  const shared = new Thread(MAIN_LOOP_THREAD, memory, NO_STATISTICS);
  const own = new RecordingMemory(buffer);
  own.time = memory.time;
  const loop = new MainLoop(shared, own, map, new DeadlineQueue());
  loop.machine.select(machineAt(map, 0));
  own.reads.clear();
  own.writes.clear();
  if (thread === 'vcpu0') {
    const request = REQUESTS[operation];
    if (request.operation === STEP) loop.due.steps.begin(request.address);
    else performRequest(loop.machine, request);
  } else {
    if (scenario.control) loop.due.requestControl(scenario.control.work, scenario.control.argument);
    loop.due.run();
  }
  const isLock = (address: number) => names.lockAt(address) >= 0;
  const data = (addresses: ReadonlySet<number>) => new Set([...addresses].filter((address) => !isLock(address)));
  return { reads: data(own.reads), writes: data(own.writes), locks: new Set([...own.writes].filter(isLock)) };
}

/** Whether the order of two operations can matter: one writes what the other accesses, or they share two locks. */
export function isConflict(one: Footprint, other: Footprint): boolean {
  const meets = (writes: ReadonlySet<number>, { reads, writes: others }: Footprint) =>
    [...writes].some((address) => reads.has(address) || others.has(address));
  if (meets(one.writes, other) || meets(other.writes, one)) return true;
  return [...one.locks].filter((lock) => other.locks.has(lock)).length > 1;
}
