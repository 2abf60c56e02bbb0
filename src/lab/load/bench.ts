import type { Irq, IrqStream, Southbridge, VcpuEvent } from '../../client/index.js';
import type { Course } from './course.js';
import { EventFence } from './event-fence.js';
import { IoapicLock } from './ioapic-lock.js';
import { Ledger } from './ledger.js';
import { Random } from './random.js';
import { ENABLE_CNF, GENERAL_CONFIGURATION } from './registers.js';
import { ownerOf, Station } from './station.js';

const FAULTS_SHOWN = 5;
/** For the stream to tell of everything, at the end. */
const DRAIN_MS = 30_000;

/** What the vCPUs of a load do. */
export interface Workload {
  readonly name: string;
  readonly summary: string;
  /** Each vCPU needs a timer, or a pin, of its own. */
  readonly needs?: 'timer' | 'pin';
  /** Operations of one vCPU may overlap: at a given rate, none waits for the one before it. */
  readonly overlaps?: boolean;
  /** It has a pace of its own, and no rate can be asked for. */
  readonly ownPace?: boolean;
  /** Each vCPU has a machine to itself. */
  readonly isAlone?: boolean;
  /** Of own pace: when (`performance.now`) the next operation of a vCPU is to begin, if it is not as soon as possible. */
  due?(station: Station, bench: Bench): number;
  /** Sets one vCPU's devices up. */
  prepare?(station: Station, bench: Bench): Promise<void>;
  /** One operation of a vCPU. Its time counts as latency, less the milliseconds that it returns: it had to wait for those. */
  operate(station: Station, bench: Bench): Promise<number | undefined>;
  /** After the run, when nothing more can come. */
  finish?(station: Station, bench: Bench): void;
  /** Looks at every event of the IRQ stream. */
  watch?(event: Irq, bench: Bench): void;
}

/** One machine of a load: its vCPUs, its IRQ stream, and the ledger of its interrupts. */
export class Bench {
  readonly ledger = new Ledger();
  readonly ioapic = new IoapicLock();
  readonly fence = new EventFence();
  readonly stations: readonly Station[];
  /** Rules that were broken, other than lost and doubled interrupts; the first few in words. */
  readonly faults: string[] = [];
  faultCount = 0;
  course!: Course;
  #stream: IrqStream | undefined;
  /** Number of the last event that the stream told of. */
  #told = 0;
  #onTold: (() => void) | undefined;
  #streamError: unknown;

  constructor(
    readonly server: Southbridge,
    readonly machine: string,
    readonly workload: Workload,
    /** In ms; what is so much later than due, and of which the IRQ stream does not tell either, is lost. */
    readonly patience: number,
    readonly onIrq: (event: Irq) => void,
    pins: readonly number[],
    seed: number,
  ) {
    this.stations = pins.map((pin, index) => new Station(index, pin, new Random(seed + index)));
  }

  fault(text: string): void {
    this.faultCount++;
    if (this.faults.length < FAULTS_SHOWN) this.faults.push(text);
  }

  /** Connects everything and programs the devices. */
  async open(): Promise<void> {
    this.#stream = await this.server.irqs(this.machine);
    this.#told = this.#stream.sequence;
    this.#listen(this.#stream);
    for (const station of this.stations) {
      const onEvent = (event: VcpuEvent) => this.#received(station, event);
      station.vcpu = await this.server.vcpu(this.machine, station.index, { onEvent });
    }
    if (this.workload.isAlone) return;
    await Promise.all(this.stations.map((station) => this.workload.prepare?.(station, this)));
    await this.stations[0].write(GENERAL_CONFIGURATION, 8, ENABLE_CNF);
  }

  async #listen(stream: IrqStream): Promise<void> {
    try {
      for await (const event of stream) {
        if (event.type === 'gap') {
          this.ledger.streamGap(event.from, event.to);
          this.#told = event.to;
        } else {
          this.#tell(event);
          this.#told = event.sequence;
        }
        this.#onTold?.();
      }
    } catch (error) {
      this.#streamError = error;
      this.#onTold?.();
    }
  }

  #tell(event: Irq): void {
    this.onIrq(event);
    this.workload.watch?.(event, this);
    if (event.event.kind !== 'apic') return;
    const { destination, vector, logical } = event.event.message;
    const index = this.workload.isAlone ? aloneIndex(destination, logical) : destination;
    const station = this.stations[index];
    if (!station) return;
    const isReceived = this.ledger.told(event.sequence, index);
    if (!isReceived) this.#owner(vector)?.announce(event.sequence, station);
  }

  #received(station: Station, event: VcpuEvent): void {
    if (event.type === 'gap') this.ledger.vcpuGap(event.from, event.to);
    if (event.type !== 'interrupt') return;
    const isNew = this.ledger.received(event.sequence, station.index);
    if (isNew) this.#owner(event.message.vector)?.arrive(event.sequence);
  }

  #owner(vector: number): Station | undefined {
    return this.workload.isAlone ? this.stations[0] : this.stations[ownerOf(vector)];
  }

  /** Resets the devices, so that no more interrupts come, and waits for all that were sent. Rejects if the stream ended. */
  async settle(): Promise<void> {
    const path = `/v1/machines/${encodeURIComponent(this.machine)}`;
    await this.server.request('POST', `${path}/reset`);
    await Promise.all(this.stations.map(({ vcpu }) => vcpu.sync()));
    const { sequence } = (await this.server.request('GET', path)) as { sequence: string };
    const end = performance.now() + DRAIN_MS;
    while (this.#told < Number(sequence)) {
      if (this.#streamError) throw this.#streamError;
      const left = end - performance.now();
      if (left <= 0) {
        this.fault(`the IRQ stream told of event ${this.#told}, and not of ${sequence}, within ${DRAIN_MS / 1000} s`);
        break;
      }
      await this.#tellsMore(left);
    }
    for (const station of this.stations) this.workload.finish?.(station, this);
  }

  #tellsMore(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onTold = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    this.#stream?.close();
    for (const { vcpu } of this.stations) vcpu?.close();
  }
}

/** 0 if a message reaches the only vCPU of a machine: physical id 0, logical id 1. */
function aloneIndex(destination: number, logical: boolean): number {
  const isReached = logical ? (destination & 1) !== 0 : destination === 0 || destination === 0xff;
  return isReached ? 0 : -1;
}
