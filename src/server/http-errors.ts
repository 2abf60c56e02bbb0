import { type IncomingMessage, maxHeaderSize, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorObject } from 'ajv';
import type { FastifyError, FastifyRequest } from 'fastify';
import type { Limits } from '../config/schema.js';
import { SouthbridgeError } from '../errors.js';
import { refusal } from '../protocol/json/validation.js';
import { BARE_HEADERS } from './security/headers.js';
import { endSocket } from './security/sockets.js';

/** The coded error for whatever a request failed with. */
export function codedError(error: unknown, request: FastifyRequest): SouthbridgeError {
  if (error instanceof SouthbridgeError) return error;
  const { code, message, validation } = error as FastifyError;
  if (validation) return refusal(validation as unknown as ErrorObject[], 'invalid-body');
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new SouthbridgeError('body-too-large', { limit: request.routeOptions.bodyLimit ?? 0 });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new SouthbridgeError('unsupported-media-type', { type: request.headers['content-type'] ?? 'unknown' });
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new SouthbridgeError('invalid-body', { reason: message });
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
    case 'FST_ERR_ASYNC_CONSTRAINT':
      return new SouthbridgeError('bad-request', { reason: message });
    default:
      if (error instanceof SyntaxError) return new SouthbridgeError('invalid-body', { reason: error.message });
      return new SouthbridgeError('internal', { request: request.id });
  }
}

/** `WWW-Authenticate` of RFC 6750 for what was refused for want of a token or of a role. */
export function challenge({ code, details }: SouthbridgeError): string | undefined {
  const realm = 'Bearer realm="southbridge"';
  if (code === 'token-missing') return realm;
  if (code === 'token-unknown' || code === 'token-expired') return `${realm}, error="invalid_token"`;
  if (code === 'role-too-low') return `${realm}, error="insufficient_scope", scope="${details.role}"`;
  return undefined;
}

const BARE = Object.entries(BARE_HEADERS)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');

/** Of Node's parser, with what it was reading. */
interface ClientError extends NodeJS.ErrnoException {
  readonly rawPacket?: unknown;
}

/** A socket of TLS; Node's types leave it out. */
interface Handshaking extends Socket {
  readonly secureConnecting?: boolean;
}

/** The last response of each connection. */
const responses = new WeakMap<Socket, ServerResponse>();

/** Has `answerClientError` know what was answered before. */
export function noteResponses(server: Server): void {
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) =>
    responses.set(request.socket, response),
  );
}

/** The last response of a connection. */
export function answerOf(socket: Socket): ServerResponse | undefined {
  return responses.get(socket);
}

/** Answers an `Expect` that Node knows nothing of: by itself it sends an empty body. */
export function refuseExpectations(server: Server): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const expectation = String(request.headers.expect).slice(0, 80);
    const refused = new SouthbridgeError('expectation-failed', { expectation });
    const body = JSON.stringify(refused);
    response.writeHead(refused.status, {
      ...BARE_HEADERS,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    });
    response.end(body);
  });
}

/** Whether what is wrong belongs to a request that is answered already, as its body does. */
function isAnswered(socket: Socket): boolean {
  const response = responses.get(socket);
  return response?.headersSent === true && !response.req.complete;
}

/** What is not HTTP at all gets an answer as well; no request gets two. */
export function answerClientError(
  error: ClientError,
  socket: Socket,
  limits: Pick<Limits, 'headersMs' | 'requestMs'>,
): void {
  // Nothing can be said before a TLS handshake is complete.
  if (error.code === 'ECONNRESET' || !socket.writable || (socket as Handshaking).secureConnecting) {
    socket.destroy();
    return;
  }
  if (isAnswered(socket)) {
    endSocket(socket);
    return;
  }
  const refused = refusalOf(error, limits);
  const body = JSON.stringify(refused);
  // RFC 9110, 9.3.2: a client that asked for the head alone takes a body for the beginning of another answer.
  const { rawPacket } = error;
  const isHead = Buffer.isBuffer(rawPacket) && rawPacket.toString('latin1', 0, 5) === 'HEAD ';
  endSocket(
    socket,
    `HTTP/1.1 ${refused.status} ${STATUS_CODES[refused.status]}\r\nconnection: close\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${BARE}\r\n${isHead ? '' : body}`,
  );
}

function refusalOf(
  { code, message }: NodeJS.ErrnoException,
  { headersMs, requestMs }: Pick<Limits, 'headersMs' | 'requestMs'>,
): SouthbridgeError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new SouthbridgeError('too-slow', { headersMs, requestMs });
    case 'HPE_HEADER_OVERFLOW':
      return new SouthbridgeError('headers-too-large', { limit: maxHeaderSize });
    default:
      return new SouthbridgeError('bad-request', { reason: message });
  }
}
