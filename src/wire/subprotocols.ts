import { SouthbridgeError } from '../errors.js';

export const JSON_SUBPROTOCOL = 'southbridge.v1.json';
export const PROTO_SUBPROTOCOL = 'southbridge.v1.proto';
const SUBPROTOCOLS: readonly string[] = [PROTO_SUBPROTOCOL, JSON_SUBPROTOCOL];
/** A resume token is shown as one more subprotocol: unlike a URL it reaches no log. */
const RESUME_PREFIX = 'southbridge.resume.';

/** The subprotocol that the server speaks: the first of those offered that it knows. */
export function selectSubprotocol(offered: Iterable<string>): string | false {
  for (const name of offered) if (SUBPROTOCOLS.includes(name)) return name;
  return false;
}

/** Reads `Sec-WebSocket-Protocol`: the resume token, if there is one. Throws `unknown-subprotocol`. */
export function resumeTokenOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const offered = header.split(',').map((name) => name.trim());
  if (selectSubprotocol(offered) === false) {
    const shown = offered.filter((name) => !name.startsWith(RESUME_PREFIX));
    throw new SouthbridgeError('unknown-subprotocol', { offered: shown.join(', ') || 'but a resume token' });
  }
  return offered.find((name) => name.startsWith(RESUME_PREFIX))?.slice(RESUME_PREFIX.length);
}
