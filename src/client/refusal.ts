import { httpRequest } from './http-request.js';
import { RequestError } from './request-error.js';

/** What the codes mean with which the server closes a socket: docs/protocol.md. */
const SENTENCES: { readonly [code: string]: string } = {
  'vcpu-replaced': 'another client took the vCPU over',
  'machine-closing': 'the machine was deleted',
  'unknown-machine': 'there is no such machine',
  'unknown-vcpu': 'the machine has no such vCPU',
  'vcpu-taken': 'another connection holds the vCPU; close it, or show its resume token',
  'wrong-resume-token': 'another connection holds the vCPU, and the resume token is not valid',
  'machine-hung': 'threads hang in the machine',
  'machine-suspect': 'a thread died in the machine',
  'token-unknown': 'the token is unknown or has been revoked',
  'shutting-down': 'the server is shutting down',
  'machine-moved': 'the machine continues on another node of the cluster',
};

/** The codes of a server whose reasons a proxy left out. */
const CODES: { readonly [close: number]: string } = {
  1001: 'shutting-down',
  4001: 'vcpu-replaced',
  4002: 'machine-closing',
  4404: 'unknown-machine',
  4409: 'vcpu-taken',
};

/** Codes with which a later try may still succeed; so may one after a refusal that has no code of this server. */
const PASSING = [
  'connection-refused',
  'shutting-down',
  'server-failed',
  'not-ready',
  'internal',
  'machine-hung',
  'machine-suspect',
  'too-many-connections',
  'too-many-from-address',
  'too-slow',
  'bad-answer',
  'machine-moved',
  'machine-elsewhere',
  'stale-owner',
  'owner-unknown',
  'node-unreachable',
  'forwarding-stale',
  'lease-lost',
];

/** Whether a client that wants to come back may try again after this. */
export function isPassing({ code }: RequestError): boolean {
  return PASSING.includes(code);
}

/** Why a socket was closed before or after its first message. */
export function closeError(url: string, close: number, reason: string): RequestError {
  const known = reason in SENTENCES ? reason : CODES[close];
  if (known) return refused(url, known, SENTENCES[known], { close });
  const said = reason === '' ? '' : `, ${reason}`;
  return refused(url, 'connection-refused', `it was closed (close code ${close}${said})`, { close });
}

function refused(url: string, code: string, why: string, details: { readonly [name: string]: unknown }): RequestError {
  return new RequestError(code, `No connection to ${url}: ${why}.`, { url, ...details });
}

/**
 * Why an upgrade failed. A WebSocket does not say, and so the same is asked for by a plain request: the server answers it
 * with the refusal, or with `upgrade-required` if there is none.
 */
export async function upgradeError(url: string, token: string | undefined, ms: number): Promise<RequestError> {
  let status: number;
  let text: string;
  try {
    const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
    const signal = AbortSignal.timeout(ms);
    ({ status, text } = await httpRequest(url.replace(/^ws/, 'http'), { ...(headers && { headers }), signal }));
  } catch {
    return refused(url, 'connection-refused', 'the server does not answer', {});
  }
  try {
    const { code, message, ...details } = JSON.parse(text).error;
    if (status === 426) return refused(url, 'connection-refused', 'the server answers, but the upgrade failed', {});
    return new RequestError(code, `No connection to ${url}: ${message}`, details, status);
  } catch {
    return refused(url, 'connection-refused', `what answers is no server of this kind (HTTP status ${status})`, {});
  }
}
