import type { FastifyRequest } from 'fastify';
import { SouthbridgeError } from '../../errors.js';

/** A key of every query in a cluster, which no route knows: whether the client wants to be redirected. */
const KEY = 'redirect';

/** Takes the client's wish out of the query; undefined if it has none. Throws `bad-value`. */
export function redirectOf(request: FastifyRequest): boolean | undefined {
  const query = request.query as { [key: string]: unknown };
  const value = query[KEY];
  if (value === undefined) return undefined;
  if (value !== 'true' && value !== 'false')
    throw new SouthbridgeError('bad-value', { key: KEY, expected: 'true or false' });
  delete query[KEY];
  return value === 'true';
}

export function withoutRedirect(url: string): string {
  const at = url.indexOf('?');
  if (at < 0) return url;
  const kept = url
    .slice(at + 1)
    .split('&')
    .filter((part) => part.split('=', 1)[0] !== KEY);
  return url.slice(0, at) + (kept.length > 0 ? `?${kept.join('&')}` : '');
}
