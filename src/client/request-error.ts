/** A request that the server refused, or that nobody knows the end of. */
export class RequestError extends Error {
  override readonly name = 'RequestError';

  constructor(
    /** As in docs/errors.md; or `connection-lost`, where the server may or may not have executed the request. */
    readonly code: string,
    message: string,
    /** What the sentence names. */
    readonly details: { readonly [name: string]: unknown } = {},
    /** HTTP status, of a request by HTTP. */
    readonly status?: number,
  ) {
    super(message);
  }
}

export function connectionLost(url: string): RequestError {
  return new RequestError(
    'connection-lost',
    `The connection to ${url} ended before the reply; the server may or may not have executed the request.`,
    { url },
  );
}

export function tooManyRequests(limit: number): RequestError {
  return new RequestError(
    'too-many-requests',
    `${limit} requests wait already; wait for replies, or raise waitingRequests.`,
  );
}

export function closed(): RequestError {
  return new RequestError('connection-closed', 'This vCPU was closed; connect it again.');
}

export function isLost(error: unknown): boolean {
  return error instanceof RequestError && error.code === 'connection-lost';
}
