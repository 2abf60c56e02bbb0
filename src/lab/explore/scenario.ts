import type { Design } from '../../core/locking/axes.js';
import type { PresetName } from '../../core/locking/presets.js';
import type { MachineOptions } from '../../core/machine/machine.js';
import * as ring from '../../runtime/rings/submission-ring.js';
import type { GatewayOptions } from '../../runtime/threads/gateway.js';

/** One request of a vCPU, as the gateway puts it into the ring of its thread. */
export interface Request {
  readonly operation: number;
  readonly size: number;
  readonly address: number;
  readonly value: number;
  /** An event that it causes under every design, by kind and `a` (`machine/events.ts`); it comes before the reply. */
  readonly tells?: { readonly kind: number; readonly a: number };
}

export function write(address: number, value: number, size = 8): Request {
  return { operation: ring.WRITE, size, address, value };
}

export function read(address: number, size = 8): Request {
  return { operation: ring.READ, size, address, value: 0 };
}

export function portWrite(port: number, value: number): Request {
  return { operation: ring.PORT_WRITE, size: 0, address: port, value };
}

/** The interrupt acknowledge cycle of a processor. */
export const acknowledge: Request = { operation: ring.INTERRUPT_ACKNOWLEDGE, size: 0, address: 0, value: 0 };

/** An external driver sets a GSI. */
export function line(gsi: number, level: number): Request {
  return { operation: ring.SET_LINE, size: 0, address: gsi, value: level };
}

export function endOfInterrupt(vector: number): Request {
  return { operation: ring.END_OF_INTERRUPT, size: 0, address: 0, value: vector };
}

/** The level of the callback of Xen's event channel. */
export function xenCallback(level: number): Request {
  return { operation: ring.XEN_CALLBACK, size: 0, address: 0, value: level };
}

/** With an event that the request certainly causes. */
export function telling(request: Request, kind: number, a: number): Request {
  return { ...request, tells: { kind, a } };
}

/** Control work, path C, as the gateway asks the main loop for it. */
export interface ControlRequest {
  readonly work: number;
  readonly argument: number;
}

/** Something that happens before the threads run: a request, control work, or a round of the main loop at a host time in ns. */
export type Preparation = Request | ControlRequest | { readonly mainLoopAt: number };

export interface Scenario {
  readonly name: string;
  /** What happens at once. */
  readonly description: string;
  /** Differences from the standard machine. */
  readonly machine?: Partial<MachineOptions>;
  /** What the machine has gone through before. */
  readonly before: readonly Preparation[];
  /** Host times (ns) at which the clock may stand while the threads run; the first is where it stands at the start. */
  readonly times: readonly number[];
  /** What each vCPU does. */
  readonly vcpus: readonly (readonly Request[])[];
  /** Threads that do nothing but take one lock, and how often, in place of all others. */
  readonly lockers?: { readonly threads: number; readonly rounds: number };
  /** How locks are explored whatever was asked for. */
  readonly mutex?: 'futex' | 'blocking';
  /** Designs whose outcomes are right by definition; `bql` if not given. */
  readonly reference?: readonly PresetName[];
  /**
   * The requests of the vCPUs come as frames on sockets, and the gateway, which takes them, is a thread of its own.
   * Without it they lie in the rings of the vCPU threads from the start, and nobody waits for answers.
   */
  readonly gateway?: GatewayOptions;
  /** All frames have come before the threads run: else the first of each vCPU, and the others at any time. */
  readonly framesHaveCome?: true;
  /** Records of the event ring, and the most events that one access or callback of this scenario causes. */
  readonly events?: { readonly capacity: number; readonly burst: number };
  /** Most preemptions by default, where exploring all of them takes too long; any number if not given. */
  readonly preemptions?: number | ((design: Design) => number | undefined);
  /** What the gateway asks for meanwhile. */
  readonly control?: ControlRequest;
}
