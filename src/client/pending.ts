import type { Access } from '../protocol/client-message.js';
import type { Reply } from '../protocol/server-message.js';
import type { SessionRequest } from './session.js';

/** Halves of the value that an access read. */
export interface Halves {
  readonly low: number;
  readonly high: number;
}

/** A request and its end. One that is posted has no reply unless it fails. */
export interface Pending extends SessionRequest {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

/** An access that waits for the end of the turn, to go with the others that were made in it. */
export interface WaitingAccess {
  readonly access: Access;
  readonly resolve: (value: Halves) => void;
  readonly reject: (error: unknown) => void;
}
