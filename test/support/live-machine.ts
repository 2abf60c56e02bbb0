import { HPET_BASE, IOAPIC_BASE } from '../../src/core/devices/guest-map.js';
import { IOREGSEL, IOWIN } from '../../src/core/devices/ioapic/registers.js';
import { PROFILES, quirkBits } from '../../src/core/devices/quirks.js';
import type { Design } from '../../src/core/locking/axes.js';
import type { BqlLoadOptions } from '../../src/core/machine/bql-load.js';
import type { MachineOptions } from '../../src/core/machine/machine.js';
import { Engine } from '../../src/runtime/engine.js';
import type { MachineEvent } from '../../src/runtime/events/event-ring.js';
import type { MachineSlot } from '../../src/runtime/machine-slot.js';
import { LockReportRings } from '../../src/runtime/memory/lock-reports.js';
import { OVERLAPPED } from '../../src/runtime/memory/statistics-layout.js';
import { Request } from '../../src/runtime/rings/requests.js';
import * as ring from '../../src/runtime/rings/submission-ring.js';
import { LockView } from '../../src/runtime/statistics/lock-view.js';

const SLOT = 0;

/** A machine on real threads, with a realtime clock by default; requests name the vCPU thread to run on. */
export class LiveMachine {
  readonly locks: LockView;
  readonly #slot: MachineSlot;

  private constructor(readonly engine: Engine) {
    this.locks = new LockView(engine.shared, engine.map);
    this.#slot = engine.slot(SLOT);
  }

  static async start(
    design: Design,
    vcpuThreads: number,
    onEvent: (event: MachineEvent) => void = () => {},
    options: Partial<MachineOptions> = {},
  ): Promise<LiveMachine> {
    const engine = new Engine({ vcpuThreads, machines: 1 });
    await engine.start();
    engine.slot(SLOT).create(
      {
        slot: SLOT,
        design,
        clock: 'realtime',
        hpet: { timers: 8, msi: false, routingCapability: 0x00ff_ffff },
        ioapic: { version: 0x20, id: 0 },
        quirks: quirkBits(PROFILES.standard),
        generationCheck: true,
        countOverlap: true,
        ...options,
      },
      onEvent,
    );
    return new LiveMachine(engine);
  }

  call(thread: number, operation: number, size: number, address: number, low = 0, high = 0): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#slot.perform(
        new Request(SLOT, thread, operation, size, address, low, high, (request) => {
          const { status } = request;
          if (status === ring.OK) resolve(request.high * 2 ** 32 + request.low);
          else reject(new Error(`operation ${operation} at 0x${address.toString(16)}: status ${status}`));
        }),
      ),
    );
  }

  readHpet(thread: number, offset: number): Promise<number> {
    return this.call(thread, ring.READ, 8, HPET_BASE + offset);
  }

  /** Values up to 2^53. */
  async writeHpet(thread: number, offset: number, value: number): Promise<void> {
    await this.call(thread, ring.WRITE, 8, HPET_BASE + offset, value >>> 0, Math.floor(value / 2 ** 32));
  }

  /** Not to be mixed with another thread's: select and window are two accesses. */
  async writeIoapic(thread: number, register: number, value: number): Promise<void> {
    await this.call(thread, ring.WRITE, 4, IOAPIC_BASE + IOREGSEL, register);
    await this.call(thread, ring.WRITE, 4, IOAPIC_BASE + IOWIN, value >>> 0);
  }

  async endOfInterrupt(thread: number, vector: number): Promise<void> {
    await this.call(thread, ring.END_OF_INTERRUPT, 0, 0, vector);
  }

  async setLine(thread: number, gsi: number, level: number): Promise<void> {
    await this.call(thread, ring.SET_LINE, 0, gsi, level);
  }

  loadBql(options: BqlLoadOptions): void {
    this.#slot.loadBql(options);
  }

  /** Deferred calls so far. */
  deferred(): { total: number; late: number; inverted: number } {
    return this.#slot.deferred();
  }

  /** Levels of a line's sources, bit n for source n. Valid while no request is in flight. */
  sources(line: number): number {
    return this.#slot.machine.chipset.router.sources(line);
  }

  level(line: number): number {
    return this.#slot.machine.chipset.router.level(line);
  }

  deadlocks() {
    return this.locks.deadlocks(SLOT);
  }

  /** Deadlocks so far; reports are kept of the last 32. */
  deadlockCount(): number {
    return new LockReportRings(this.engine.shared, this.engine.map.lockReports).deadlockCount;
  }

  inversions() {
    return this.#slot.lockOrder().inversions;
  }

  /** Sums over all threads. */
  counts(): { contended: number; overlapped: number } {
    const { statistics } = this.engine;
    const contended = statistics.locks(0).reduce((sum, row) => sum + row.contended, 0);
    return { contended, overlapped: statistics.sum(0, OVERLAPPED) };
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}
