import { SouthbridgeError } from '../errors.js';

export const JSON_SUBPROTOCOL = 'southbridge.v1.json';
export const PROTO_SUBPROTOCOL = 'southbridge.v1.proto';
/** The same forms of version 1.1, which adds sessions. */
export const SESSION_JSON_SUBPROTOCOL = 'southbridge.v1.1.json';
export const SESSION_PROTO_SUBPROTOCOL = 'southbridge.v1.1.proto';
const PROTO_SUBPROTOCOLS: readonly string[] = [SESSION_PROTO_SUBPROTOCOL, PROTO_SUBPROTOCOL];
const SESSION_SUBPROTOCOLS: readonly string[] = [SESSION_PROTO_SUBPROTOCOL, SESSION_JSON_SUBPROTOCOL];
const SUBPROTOCOLS: readonly string[] = [...SESSION_SUBPROTOCOLS, PROTO_SUBPROTOCOL, JSON_SUBPROTOCOL];
/** A token is shown as one more subprotocol: unlike a URL it reaches no log, and browsers can send no header. */
const RESUME_PREFIX = 'southbridge.resume.';
/** The client goes to the owner that a hello names: docs/protocol.md. */
const FOLLOW = 'southbridge.follow';
const BEARER_PREFIX = 'southbridge.bearer.';

/** The subprotocol that the server speaks: the first of those offered that it knows. */
export function selectSubprotocol(offered: Iterable<string>): string | false {
  for (const name of offered) if (SUBPROTOCOLS.includes(name)) return name;
  return false;
}

/** Whether the frames are binary. */
export function isBinary(subprotocol: string): boolean {
  return PROTO_SUBPROTOCOLS.includes(subprotocol);
}

/** Whether connections have sessions: version 1.1. */
export function hasSessions(subprotocol: string): boolean {
  return SESSION_SUBPROTOCOLS.includes(subprotocol);
}

/** Reads `Sec-WebSocket-Protocol`: the resume token, if there is one. Throws `unknown-subprotocol`. */
export function resumeTokenOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const offered = namesOf(header);
  if (selectSubprotocol(offered) === false) {
    const isShown = (name: string) => ![RESUME_PREFIX, BEARER_PREFIX, FOLLOW].some((prefix) => name.startsWith(prefix));
    const shown = offered.filter(isShown);
    throw new SouthbridgeError('unknown-subprotocol', { offered: shown.join(', ') || 'but tokens' });
  }
  return after(RESUME_PREFIX, offered);
}

/** Whether the client of a WebSocket goes to the owner that a hello names. */
export function follows(header: string | undefined): boolean {
  return header !== undefined && namesOf(header).includes(FOLLOW);
}

/** Reads `Sec-WebSocket-Protocol`: the bearer token, if there is one. */
export function bearerOf(header: string | undefined): string | undefined {
  return header === undefined ? undefined : after(BEARER_PREFIX, namesOf(header));
}

/** `Sec-WebSocket-Protocol` without the bearer token. */
export function withoutBearer(header: string): string {
  return namesOf(header)
    .filter((name) => !name.startsWith(BEARER_PREFIX))
    .join(', ');
}

function namesOf(header: string): string[] {
  return header.split(',').map((name) => name.trim());
}

function after(prefix: string, names: readonly string[]): string | undefined {
  return names.find((name) => name.startsWith(prefix))?.slice(prefix.length);
}
