import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';

/** For how many seconds a browser may keep the answer to a preflight. */
const KEPT_S = 600;

/** Headers of CORS for a page of one of `allowedOrigins`; to every other page nothing is allowed. */
export function originHeaders(
  { headers: { origin } }: IncomingMessage,
  { allowedOrigins }: { readonly allowedOrigins: readonly string[] },
): OutgoingHttpHeaders {
  if (allowedOrigins.length === 0) return {};
  const isAllowed = origin !== undefined && allowedOrigins.some((each) => each.toLowerCase() === origin.toLowerCase());
  // What is kept for one page must not be given to another.
  if (!isAllowed) return { vary: 'origin' };
  return {
    vary: 'origin',
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'www-authenticate, allow',
  };
}

/** Whether a browser asks if a page may send a request. It shows no token then. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && 'access-control-request-method' in headers;
}

/** What the pages of `allowedOrigins` may send. */
export const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': 'authorization, content-type, last-event-id',
  'access-control-max-age': String(KEPT_S),
};
