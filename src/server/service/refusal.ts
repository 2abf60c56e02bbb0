import type { WebSocket } from 'ws';
import { SouthbridgeError } from '../../errors.js';
import { CLOSE_MACHINE_DELETED } from './vcpu.js';

/** Close codes of refused connections: a browser cannot read the answer to a refused upgrade. */
export const CLOSE_UNKNOWN = 4404;
export const CLOSE_CONFLICT = 4409;

const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;

/** Closes a socket whose upgrade was accepted, because of `error`; the reason is its code. */
export function refuseSocket(socket: WebSocket, error: unknown): void {
  if (!(error instanceof SouthbridgeError)) socket.close(INTERNAL_ERROR, 'internal');
  else socket.close(closeCodeOf(error), error.code);
}

function closeCodeOf({ code, status }: SouthbridgeError): number {
  if (code === 'machine-closing') return CLOSE_MACHINE_DELETED;
  if (status === 404) return CLOSE_UNKNOWN;
  return status === 503 ? TRY_AGAIN_LATER : CLOSE_CONFLICT;
}
