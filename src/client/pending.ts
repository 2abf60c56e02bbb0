import type { Access } from '../protocol/client-message.js';
import type { Reply } from '../protocol/server-message.js';

/** Halves of the value that an access read. */
export interface Halves {
  readonly low: number;
  readonly high: number;
}

/** A request that was sent. One without `resolve` has no reply unless it fails. */
export interface Pending {
  readonly id: number;
  readonly posted: boolean;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

/** An access that waits for the end of the turn, to go with the others that were made in it. */
export interface WaitingAccess {
  readonly access: Access;
  readonly resolve: (value: Halves) => void;
  readonly reject: (error: unknown) => void;
}
