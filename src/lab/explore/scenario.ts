import type { Design } from '../../core/locking/axes.js';
import type { MachineOptions } from '../../core/machine/machine.js';
import type { GatewayOptions } from '../../runtime/threads/gateway.js';
import type { GuestRequest } from './requests.js';

/** Control work (path C), as the gateway submits it to the main loop. */
export interface ControlRequest {
  readonly work: number;
  readonly argument: number;
}

/** What makes a scenario a generated program: `programs/program.ts` makes it from its name. */
export interface ProgramParts {
  /** A request that the gateway executes inline, or submits to the last vCPU thread. */
  readonly inline?: GuestRequest | undefined;
  /** The requests of vCPU 1 are submitted once those of vCPU 0 are answered. */
  readonly isOrdered: boolean;
}

/** A step before the threads run: a request, control work, or one iteration of the main loop at a host time in ns. */
export type Preparation = GuestRequest | ControlRequest | { readonly mainLoopAt: number };

export interface Scenario {
  readonly name: string;
  /** The concurrent operations. */
  readonly description: string;
  /** Differences from the standard machine. */
  readonly machine?: Partial<MachineOptions>;
  /** Sequential preparation of the machine. */
  readonly before: readonly Preparation[];
  /** Host times (ns) at which the clock may stand while the threads run. It starts at the first. */
  readonly times: readonly number[];
  /** The requests of each vCPU, in program order. */
  readonly vcpus: readonly (readonly GuestRequest[])[];
  /** Threads that only acquire and release one lock, `rounds` times each. They replace all other threads. */
  readonly lockers?: { readonly threads: number; readonly rounds: number };
  /** How locks are explored, whatever the caller asks for. */
  readonly mutex?: 'futex' | 'blocking';
  /**
   * The requests of the vCPUs arrive as frames on sockets, and the gateway that reads them is a thread of its own.
   * Without it, the requests lie in the rings of the vCPU threads from the start, and no reply is delivered.
   */
  readonly gateway?: GatewayOptions;
  /**
   * All frames arrive before the threads run. Otherwise only the first of each vCPU does, and the others at any time.
   */
  readonly framesHaveCome?: true;
  /**
   * Records of the event ring, the most events that one access or callback of this scenario causes, and the most callbacks in
   * one round of the main loop: 1 if not given.
   */
  readonly events?: { readonly capacity: number; readonly burst: number; readonly slice?: number };
  /** Default bound on preemptions, where exploring all of them takes too long; unbounded if not given. */
  readonly preemptions?: number | ((design: Design) => number | undefined);
  /** The bound applies only where there are more states than this without it. */
  readonly unboundedStates?: number;
  /** Control work that the gateway submits concurrently. */
  readonly control?: ControlRequest;
  /** Of a generated program: it is judged by the reference model. */
  readonly program?: ProgramParts;
}
