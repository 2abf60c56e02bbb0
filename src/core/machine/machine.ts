import type { Design } from '../locking/axes.js';
import { packDesign, unpackDesign } from '../locking/presets.js';
import type { Memory } from '../memory/memory.js';
import type { U64 } from '../memory/u64.js';
import { DEFAULT_LOCKS, type LockOptions, type Locks } from '../sync/locks.js';
import { type StatisticsOptions, setStatistics } from '../sync/statistics.js';
import type { Thread } from '../sync/thread.js';
import { BqlLoad, type BqlLoadOptions } from './bql-load.js';
import { Chipset, type ChipsetOptions } from './chipset.js';
import type { Clock, ClockMode } from './clock.js';
import * as configuration from './configuration.js';
import { DueWork } from './due-work.js';
import type { MachineHost } from './host.js';
import { MmioPath } from './mmio-path.js';
import { HPET_TIMERS, STORM_TIMER, type TimerList } from './timer-list.js';

export interface MachineOptions extends ChipsetOptions {
  readonly slot: number;
  readonly design: Design;
  readonly clock: ClockMode;
  readonly locks?: Partial<LockOptions>;
  /** Whether a callback finds out that it was cancelled; without, as in QEMU. */
  readonly generationCheck: boolean;
  /** Counts how often a thread finds another inside the device, at the cost of two atomics per access. */
  readonly countOverlap: boolean;
  /** Slot 0, and not exact, if not given. */
  readonly statistics?: StatisticsOptions;
  /** Background work under the BQL; none if not given. */
  readonly load?: BqlLoadOptions;
}

/**
 * A virtual machine as one thread sees it: its chipset and the three paths into it. Path B is `mmio-path.ts`; `due` has
 * path A (`timer-path.ts`) and path C (`control-path.ts`). The state is in shared memory; `select` turns the object to
 * another machine. The locking design decides how each path enters.
 */
export class Machine {
  readonly chipset: Chipset;
  readonly mmio: MmioPath;
  readonly due: DueWork;
  readonly locks: Locks;
  readonly clock: Clock;
  readonly timers: TimerList;
  /** The value of the last read. */
  readonly value: U64;
  #packedDesign = -1;

  constructor(
    readonly memory: Memory,
    readonly thread: Thread,
    readonly host: MachineHost,
  ) {
    this.chipset = new Chipset(memory, thread, host);
    this.mmio = new MmioPath(this.chipset);
    this.due = new DueWork(this.chipset, this.mmio);
    this.locks = this.chipset.locks;
    this.clock = this.chipset.clock;
    this.timers = this.chipset.timers;
    this.value = this.mmio.value;
  }

  /** Makes a new machine in the zeroed memory at `base`, before other threads can see it. */
  create(base: number, options: MachineOptions): void {
    const { memory, timers } = this;
    memory.select(base);
    memory.set(configuration.SLOT, options.slot);
    memory.set(configuration.DESIGN, packDesign(options.design));
    memory.set(configuration.QUIRK_BITS, options.quirks);
    memory.set(configuration.MANUAL_CLOCK, options.clock === 'manual' ? 1 : 0);
    memory.set(configuration.SKIP_GENERATION_CHECK, options.generationCheck ? 0 : 1);
    memory.set(configuration.COUNT_OVERLAP, options.countOverlap ? 1 : 0);
    setStatistics(memory, options.statistics ?? { slot: 0, exact: false });
    this.locks.create({ ...DEFAULT_LOCKS, ...options.locks });
    this.select(base);
    for (let timer = 0; timer < HPET_TIMERS; timer++) timers.setLockless(timer, options.design.timer.lockless);
    timers.setLockless(STORM_TIMER, options.design.irq.lockless);
    this.clock.create(options.clock);
    this.chipset.create(options);
    if (options.load) new BqlLoad(memory).configure(options.load);
    memory.store(configuration.ALIVE, 1);
  }

  /** Turns this object to the machine at `base`. This thread holds no lock of the former one. */
  select(base: number): void {
    const { memory, chipset } = this;
    memory.select(base);
    this.locks.select();
    chipset.slot = memory.get(configuration.SLOT);
    chipset.quirks = memory.get(configuration.QUIRK_BITS);
    const packed = memory.get(configuration.DESIGN);
    if (packed === this.#packedDesign) return;
    this.#packedDesign = packed;
    chipset.design = unpackDesign(packed);
  }

  /**
   * Throws if this thread carries anything of the machine beyond the end of its step, outside shared memory: a lock, a
   * deferred change, or a queued change that it has to wait for.
   */
  assertIdle(): void {
    this.locks.assertIdle();
    this.chipset.deferred.assertIdle();
    if (this.chipset.lineQueue.hasQueued && this.hasManualClock) throw new Error('a queued change was not waited for');
  }

  get isAlive(): boolean {
    return configuration.isAlive(this.memory);
  }

  get hasManualClock(): boolean {
    return configuration.hasManualClock(this.memory);
  }

  // Path B, as `mmio` has it

  read(address: number, size: number): boolean {
    return this.mmio.read(address, size);
  }

  write(address: number, size: number, value: U64): boolean {
    return this.mmio.write(address, size, value);
  }

  portRead(port: number): number | undefined {
    return this.mmio.portRead(port);
  }

  portWrite(port: number, value: number): boolean {
    return this.mmio.portWrite(port, value);
  }

  acknowledgeInterrupt(): number {
    return this.mmio.acknowledgeInterrupt();
  }

  setLine(gsi: number, level: number): void {
    this.mmio.setLine(gsi, level);
  }

  setXenCallback(level: number): boolean {
    return this.mmio.setXenCallback(level);
  }

  setLogicalAddress(vcpu: number, address: number): void {
    this.mmio.setLogicalAddress(vcpu, address);
  }

  endOfInterrupt(vector: number): void {
    this.mmio.endOfInterrupt(vector);
  }
}
