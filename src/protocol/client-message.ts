import type { DestinationFormat, Input, IrqKind } from './names.js';

/** One MMIO access. */
export interface Access {
  readonly write: boolean;
  /** Of a write: no reply, unless it is refused. */
  readonly posted: boolean;
  /** Exact: what has more than 53 bits is refused by the codec. */
  readonly address: number;
  /** 1, 2, 4 or 8 bytes. */
  readonly size: number;
  /** Halves of the value to be written. */
  readonly low: number;
  readonly high: number;
}

/** First message of a connection of version 1.1. Sequence numbers and numbers of requests are exact. */
export interface Resume {
  readonly type: 'resume';
  readonly session: string;
  /** Empty on a client's first connection. */
  readonly epoch: string;
  /** The last event that the application has taken, and the last reply that the client has, with all before them. */
  readonly event: number;
  readonly reply: number;
}

/** What a client of version 1.1 needs no more: events and replies up to these numbers. */
export interface Acknowledged {
  readonly event: number;
  readonly reply: number;
}

/** The same, as a message of its own. */
export interface Ack extends Acknowledged {
  readonly type: 'ack';
}

/** Moves a manual clock by `ns`. */
export interface Step {
  readonly type: 'step';
  readonly id: number;
  readonly ns: number;
  /** No further than the next deadline. Of version 1.1, as `read`. */
  readonly toDeadline?: boolean;
  /** A register that is read behind the step. */
  readonly read?: Access;
}

/** What has a reply, or an error, of the same id. */
export type ClientRequest =
  | { readonly type: 'hello'; readonly id: number; readonly version: number; readonly capabilities: readonly string[] }
  | { readonly type: 'access'; readonly id: number; readonly access: Access }
  | { readonly type: 'batch'; readonly id: number; readonly accesses: readonly Access[] }
  | { readonly type: 'in'; readonly id: number; readonly port: number }
  | { readonly type: 'out'; readonly id: number; readonly port: number; readonly value: number }
  | { readonly type: 'inta'; readonly id: number }
  | { readonly type: 'line'; readonly id: number; readonly gsi: number; readonly level: number }
  | { readonly type: 'eoi'; readonly id: number; readonly vector: number }
  | { readonly type: 'apic'; readonly id: number; readonly logicalId: number; readonly format: DestinationFormat }
  | Step
  | { readonly type: 'input'; readonly id: number; readonly input: Input; readonly level: number }
  | { readonly type: 'sync'; readonly id: number }
  | { readonly type: 'subscribe'; readonly id: number; readonly kinds: readonly IrqKind[] };

/** What a vCPU sends, whatever form its frame had. Ranges are checked; `docs/protocol.md` gives them. */
export type ClientMessage = CarryingRequest | Resume | Ack;

/** A request that may have an acknowledgement beside it. Of version 1.1. */
export type CarryingRequest = ClientRequest & { readonly ack?: Acknowledged };
