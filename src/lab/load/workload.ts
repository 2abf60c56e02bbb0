import type { Irq } from '../../client/index.js';
import type { Bench } from './bench.js';
import type { Station } from './station.js';

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
