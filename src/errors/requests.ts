/** What is wrong with a request before its route is asked. */
export const REQUESTS = {
  'unknown-route': {
    status: 404,
    message: 'There is no {method} {path} here; /docs lists every route.',
  },
  'invalid-body': {
    status: 400,
    message: 'The body is not valid: {reason}; /docs gives its schema.',
  },
  'duplicate-key': {
    status: 400,
    message: 'The key {key} appears twice in one object; give it once.',
  },
  'too-deep': {
    status: 400,
    message: 'The JSON is nested more than {limit} deep; send it flatter.',
  },
  'unknown-key': {
    status: 400,
    message: 'The key {key} is not known here; allowed are: {allowed}.',
  },
  'bad-value': {
    status: 400,
    message: 'The value of {key} is not allowed: it must be {expected}.',
  },
  'method-not-allowed': {
    status: 405,
    message: '{path} does not take {method}; it takes {allowed}.',
  },
  'bad-request': {
    status: 400,
    message: 'The request is not valid HTTP, or not one for this server: {reason}.',
  },
  'upgrade-required': {
    status: 426,
    message:
      '{path} is a WebSocket endpoint; connect with the subprotocol southbridge.v1.proto or southbridge.v1.json.',
  },
  'not-a-socket': {
    status: 400,
    message: '{path} is not a WebSocket endpoint; send a plain request.',
  },
  'unknown-subprotocol': {
    status: 400,
    message: 'None of the subprotocols {offered} is known; offer southbridge.v1.proto, southbridge.v1.json, or none.',
  },
  'unsupported-media-type': {
    status: 415,
    message: 'Content of type {type} is not taken; send application/json.',
  },
  'unsupported-encoding': {
    status: 415,
    message: 'The body is encoded as {encoding}; send plain UTF-8 without Content-Encoding.',
  },
  'expectation-failed': {
    status: 417,
    message: 'The expectation {expectation} cannot be met; send 100-continue, or no Expect header.',
  },
  'body-too-large': {
    status: 413,
    message: 'The body is larger than {limit} bytes; send less at a time, or raise limits.bodyBytes.',
  },
  'headers-too-large': {
    status: 431,
    message: 'The headers of the request are larger than {limit} bytes; send shorter ones.',
  },
  'too-slow': {
    status: 408,
    message:
      'The headers must come within {headersMs} ms and the whole request within {requestMs} ms; send it faster, or raise limits.headersMs and limits.requestMs.',
  },
} as const;
