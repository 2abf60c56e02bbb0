import { SouthbridgeError } from '../errors.js';

export const JSON_SUBPROTOCOL = 'southbridge.v1.json';
export const PROTO_SUBPROTOCOL = 'southbridge.v1.proto';
const SUBPROTOCOLS: readonly string[] = [PROTO_SUBPROTOCOL, JSON_SUBPROTOCOL];
/** A token is shown as one more subprotocol: unlike a URL it reaches no log, and browsers can send no header. */
const RESUME_PREFIX = 'southbridge.resume.';
const BEARER_PREFIX = 'southbridge.bearer.';

/** The subprotocol that the server speaks: the first of those offered that it knows. */
export function selectSubprotocol(offered: Iterable<string>): string | false {
  for (const name of offered) if (SUBPROTOCOLS.includes(name)) return name;
  return false;
}

/** Reads `Sec-WebSocket-Protocol`: the resume token, if there is one. Throws `unknown-subprotocol`. */
export function resumeTokenOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const offered = namesOf(header);
  if (selectSubprotocol(offered) === false) {
    const shown = offered.filter((name) => !name.startsWith(RESUME_PREFIX) && !name.startsWith(BEARER_PREFIX));
    throw new SouthbridgeError('unknown-subprotocol', { offered: shown.join(', ') || 'but tokens' });
  }
  return after(RESUME_PREFIX, offered);
}

/** Reads `Sec-WebSocket-Protocol`: the bearer token, if there is one. */
export function bearerOf(header: string | undefined): string | undefined {
  return header === undefined ? undefined : after(BEARER_PREFIX, namesOf(header));
}

function namesOf(header: string): string[] {
  return header.split(',').map((name) => name.trim());
}

function after(prefix: string, names: readonly string[]): string | undefined {
  return names.find((name) => name.startsWith(prefix))?.slice(prefix.length);
}
