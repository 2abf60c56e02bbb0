/** What is wrong with a request before its route is asked. */
export const REQUESTS = {
  'unknown-route': {
    status: 404,
    message: 'No route for {method} {path}; /docs lists every route.',
  },
  'invalid-body': {
    status: 400,
    message: 'The request body is invalid: {reason}; /docs gives its schema.',
  },
  'duplicate-key': {
    status: 400,
    message: 'The key {key} appears twice in one object; give it once.',
  },
  'too-deep': {
    status: 400,
    message: 'The JSON is nested more than {limit} levels deep; send at most {limit} levels.',
  },
  'unknown-key': {
    status: 400,
    message: 'Unknown key {key}; the allowed keys are: {allowed}.',
  },
  'bad-value': {
    status: 400,
    message: 'The value of {key} is not allowed: it must be {expected}.',
  },
  'method-not-allowed': {
    status: 405,
    message: '{path} does not support {method}; use {allowed}.',
  },
  'bad-request': {
    status: 400,
    message: 'The server cannot accept the HTTP request: {reason}.',
  },
  'upgrade-required': {
    status: 426,
    message:
      '{path} is a WebSocket endpoint; connect with the subprotocol southbridge.v1.proto or southbridge.v1.json.',
  },
  'not-a-socket': {
    status: 400,
    message: '{path} is not a WebSocket endpoint; send a plain HTTP request.',
  },
  'unknown-subprotocol': {
    status: 400,
    message:
      'None of the offered subprotocols ({offered}) is supported; offer southbridge.v1.proto, southbridge.v1.json, or none.',
  },
  'unsupported-media-type': {
    status: 415,
    message: 'Content type {type} is not supported; send application/json.',
  },
  'unsupported-encoding': {
    status: 415,
    message: 'The body is encoded as {encoding}; send plain UTF-8 without Content-Encoding.',
  },
  'expectation-failed': {
    status: 417,
    message: 'The server cannot meet the expectation {expectation}; send Expect: 100-continue, or no Expect header.',
  },
  'body-too-large': {
    status: 413,
    message: 'The request body is larger than {limit} bytes; send a smaller body, or raise limits.bodyBytes.',
  },
  'headers-too-large': {
    status: 431,
    message: 'The request headers are larger than {limit} bytes; send smaller headers.',
  },
  'too-slow': {
    status: 408,
    message:
      'The headers must arrive within {headersMs} ms and the whole request within {requestMs} ms; send the request faster, or raise limits.headersMs and limits.requestMs.',
  },
} as const;
