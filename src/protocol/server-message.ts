import type { ErrorBody } from '../errors.js';
import type { Cause } from './names.js';

/** First message of a connection. An IRQ stream has no vCPU, and what belongs to one. Sequence numbers are exact. */
export interface ServerHello {
  readonly type: 'hello';
  readonly version: number;
  readonly machine: string;
  readonly vcpu?: number;
  readonly clock?: string;
  readonly resumeToken?: string;
  readonly sequence: number;
  /** Level of the 8259 pair's output; to vCPU 0. */
  readonly intr?: number;
  readonly capabilities?: readonly string[];
  /** Requests that may be unanswered before the server reads no further. */
  readonly credit?: number;
  /** Of an IRQ stream: the lines right after event `sequence`. */
  readonly lines?: LineLevels;
  /** Of version 1.1, as all below: names one line of machine state. */
  readonly epoch?: string;
  /** Whose requests the state contains, and the last of them that was accepted. */
  readonly session?: string;
  readonly request?: number;
  /** In a cluster, as all below: rises with each owner of the machine. */
  readonly fence?: number;
  /** Address of the node that has the machine, if this one has not. */
  readonly owner?: string;
  /** Addresses of other nodes. */
  readonly nodes?: readonly string[];
}

/** Level of every line: bit n for line n. */
export interface LineLevels {
  /** Driven by the HPET, with PIT and RTC. */
  readonly hpet: number;
  /** Driven by clients. */
  readonly external: number;
}

/** A value of `size` bytes in halves. */
export interface Value {
  readonly low: number;
  readonly high: number;
  readonly size: number;
}

/** What the accesses of a batch gave, by index. */
export interface BatchResults {
  /** Low and high half for each access; 0 for a write. */
  readonly values: Uint32Array;
  /** Size of each read, 0 for a write. A client knows what it asked for: the binary form leaves it out. */
  readonly sizes: Uint8Array | undefined;
  readonly faults: readonly { readonly index: number; readonly error: ErrorBody['error'] }[];
}

export interface Agreement {
  readonly version: number;
  readonly capabilities: readonly string[];
}

export interface Reply {
  readonly type: 'reply';
  readonly id: number;
  readonly value?: Value;
  readonly vector?: number;
  readonly results?: BatchResults;
  readonly agreement?: Agreement;
  /** Of a step, in version 1.1: the virtual time that it reached, and the next deadline if a timer is armed; ns. */
  readonly time?: number;
  readonly deadline?: number;
}

export interface ErrorMessage {
  readonly type: 'error';
  /** Undefined if the frame showed none. */
  readonly id: number | undefined;
  readonly code: string;
  readonly message: string;
  readonly details: { readonly [name: string]: unknown };
}

/** What an APIC message says. */
export interface ApicFields {
  readonly vector: number;
  /** 3 bits. */
  readonly deliveryMode: number;
  readonly level: boolean;
  readonly logical: boolean;
  /** 8 bits. */
  readonly destination: number;
}

export interface Interrupt {
  readonly type: 'interrupt';
  readonly sequence: number;
  readonly message: ApicFields;
}

export interface Intr {
  readonly type: 'intr';
  readonly sequence: number;
  readonly level: number;
}

/** What happened, by kind. */
export type IrqDetail =
  | { readonly kind: 'line'; readonly gsi: number; readonly level: number; readonly source: string }
  | { readonly kind: 'apic'; readonly pin: number; readonly message: ApicFields }
  | { readonly kind: 'msi'; readonly timer: number; readonly address: number; readonly data: number }
  | { readonly kind: 'intr'; readonly level: number };

/** One event of a machine's IRQ stream. */
export interface Irq {
  readonly type: 'irq';
  readonly sequence: number;
  readonly cause: Cause;
  /** Of cause `timer`. */
  readonly timer?: number;
  /** Nanoseconds. */
  readonly virtualTime: number;
  /** Milliseconds since 1970. */
  readonly wallTime: number;
  /** Virtual nanoseconds at which the timer that caused it was due, and by how many it was late. */
  readonly deadline?: number;
  readonly lateness?: number;
  readonly event: IrqDetail;
}

export interface Gap {
  readonly type: 'gap';
  readonly from: number;
  readonly to: number;
  /** The lines right after event `to`. */
  readonly lines?: LineLevels;
  /** Likewise the level of the 8259 pair's output; of version 1.1, to vCPU 0. */
  readonly intr?: number;
}

/** Posted writes that are done. */
export interface Credit {
  readonly type: 'credit';
  readonly requests: number;
  /** Of version 1.1: the number of the last one. */
  readonly request?: number;
}

/** The state of the machine was replaced: version 1.1. */
export interface Restored {
  readonly type: 'restored';
  readonly sequence: number;
  readonly epoch: string;
  /** Milliseconds. */
  readonly age: number;
  /** The last request of the session, and the last event, that the state contains. */
  readonly request?: number;
  readonly event: number;
  readonly lines: LineLevels;
  /** Level of the 8259 pair's output; to vCPU 0. */
  readonly intr?: number;
}

/** What the server sends, whatever form its frame has. */
export type ServerMessage = ServerHello | Reply | ErrorMessage | Interrupt | Intr | Irq | Gap | Credit | Restored;
