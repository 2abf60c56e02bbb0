import type { Irq, IrqStream, Southbridge, VcpuEvent } from '../../client/index.js';
import { Random } from '../random.js';
import { EventFence } from './event-fence.js';
import { IoapicLock } from './ioapic-lock.js';
import { Ledger } from './ledger.js';
import { ENABLE_CNF, GENERAL_CONFIGURATION } from './registers.js';
import type { RunClock } from './run-clock.js';
import { ownerOf, VcpuDriver } from './vcpu-driver.js';

const FAULTS_SHOWN = 5;
/** In ms, at the end of a run: the IRQ stream must report every event within this time. */
const DRAIN_MS = 30_000;

/** The operations that the vCPUs of a load perform. */
export interface Workload {
  readonly name: string;
  readonly summary: string;
  /** Each vCPU needs a timer, or a pin, of its own. */
  readonly needs?: 'timer' | 'pin';
  /** Operations of one vCPU may overlap: at a given rate, none waits for the previous one. */
  readonly overlaps?: boolean;
  /** The workload sets its own rate; `--rate` does not apply. */
  readonly ownRate?: boolean;
  /** Each vCPU gets its own machine. */
  readonly isAlone?: boolean;
  /** With `ownRate`: `performance.now` at which a vCPU's next operation starts. Absent: as soon as possible. */
  due?(driver: VcpuDriver, machine: LoadedMachine): number;
  /** Programs the devices of one vCPU. */
  prepare?(driver: VcpuDriver, machine: LoadedMachine): Promise<void>;
  /** One operation of a vCPU. Its duration is its latency, minus the returned milliseconds of intended waiting. */
  operate(driver: VcpuDriver, machine: LoadedMachine): Promise<number | undefined>;
  /** After the run, when no more interrupts can arrive. */
  finish?(driver: VcpuDriver, machine: LoadedMachine): void;
  /** Inspects every event of the IRQ stream. */
  watch?(event: Irq, machine: LoadedMachine): void;
}

/** One machine of a load: its vCPUs, its IRQ stream, and the ledger of its interrupts. */
export class LoadedMachine {
  readonly ledger = new Ledger();
  readonly ioapic = new IoapicLock();
  readonly fence = new EventFence();
  readonly drivers: readonly VcpuDriver[];
  /** Descriptions of the first violations other than lost and doubled interrupts. */
  readonly faults: string[] = [];
  faultCount = 0;
  clock!: RunClock;
  #stream: IrqStream | undefined;
  /** Sequence number of the last event from the stream. */
  #streamed = 0;
  #onEvent: (() => void) | undefined;
  #streamError: unknown;

  constructor(
    readonly server: Southbridge,
    readonly name: string,
    readonly workload: Workload,
    /** In ms. An interrupt that is this late, and that the IRQ stream does not report either, counts as lost. */
    readonly patience: number,
    readonly onIrq: (event: Irq) => void,
    pins: readonly number[],
    seed: number,
  ) {
    this.drivers = pins.map((pin, index) => new VcpuDriver(index, pin, new Random(seed + index)));
  }

  fault(text: string): void {
    this.faultCount++;
    if (this.faults.length < FAULTS_SHOWN) this.faults.push(text);
  }

  /** Connects everything and programs the devices. */
  async open(): Promise<void> {
    this.#stream = await this.server.irqs(this.name);
    this.#streamed = this.#stream.sequence;
    this.#listen(this.#stream);
    for (const driver of this.drivers) {
      const onEvent = (event: VcpuEvent) => this.#received(driver, event);
      driver.vcpu = await this.server.vcpu(this.name, driver.index, { onEvent, sessions: false });
    }
    if (this.workload.isAlone) return;
    await Promise.all(this.drivers.map((driver) => this.workload.prepare?.(driver, this)));
    await this.drivers[0].write(GENERAL_CONFIGURATION, 8, ENABLE_CNF);
  }

  async #listen(stream: IrqStream): Promise<void> {
    try {
      for await (const event of stream) {
        if (event.type === 'gap') {
          this.ledger.streamGap(event.from, event.to);
          this.#streamed = event.to;
        } else {
          this.#report(event);
          this.#streamed = event.sequence;
        }
        this.#onEvent?.();
      }
    } catch (error) {
      this.#streamError = error;
      this.#onEvent?.();
    }
  }

  #report(event: Irq): void {
    this.onIrq(event);
    this.workload.watch?.(event, this);
    if (event.event.kind !== 'apic') return;
    const { destination, vector, logical } = event.event.message;
    const index = this.workload.isAlone ? aloneIndex(destination, logical) : destination;
    const driver = this.drivers[index];
    if (!driver) return;
    const isReceived = this.ledger.reported(event.sequence, index);
    if (!isReceived) this.#owner(vector)?.announce(event.sequence, driver);
  }

  #received(driver: VcpuDriver, event: VcpuEvent): void {
    if (event.type === 'gap') this.ledger.vcpuGap(event.from, event.to);
    if (event.type !== 'interrupt') return;
    const isNew = this.ledger.received(event.sequence, driver.index);
    if (isNew) this.#owner(event.message.vector)?.arrive(event.sequence);
  }

  #owner(vector: number): VcpuDriver | undefined {
    return this.workload.isAlone ? this.drivers[0] : this.drivers[ownerOf(vector)];
  }

  /** Resets the devices to stop interrupts, then waits for all that were sent. Rejects if the stream has ended. */
  async settle(): Promise<void> {
    const path = `/v1/machines/${encodeURIComponent(this.name)}`;
    await this.server.request('POST', `${path}/reset`);
    await Promise.all(this.drivers.map(({ vcpu }) => vcpu.sync()));
    const { sequence } = (await this.server.request('GET', path)) as { sequence: string };
    const end = performance.now() + DRAIN_MS;
    while (this.#streamed < Number(sequence)) {
      if (this.#streamError) throw this.#streamError;
      const left = end - performance.now();
      if (left <= 0) {
        this.fault(
          `the IRQ stream reported events up to ${this.#streamed}, not ${sequence}, within ${DRAIN_MS / 1000} s`,
        );
        break;
      }
      await this.#nextEvent(left);
    }
    for (const driver of this.drivers) this.workload.finish?.(driver, this);
  }

  #nextEvent(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onEvent = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    this.#stream?.close();
    for (const { vcpu } of this.drivers) vcpu?.close();
  }
}

/** 0 if a message reaches the only vCPU of a machine: physical id 0, logical id 1. */
function aloneIndex(destination: number, logical: boolean): number {
  const isReached = logical ? (destination & 1) !== 0 : destination === 0 || destination === 0xff;
  return isReached ? 0 : -1;
}
