/** Origins, tokens and roles, and what a token may use up. */
export const SECURITY = {
  'foreign-origin': {
    status: 403,
    message: 'Pages of origin {origin} may not use this server; to permit them, add the origin to allowedOrigins.',
  },
  'foreign-host': {
    status: 403,
    message: 'This server does not accept the host name {host}; to permit it, add it to allowedHosts.',
  },
  'token-missing': {
    status: 401,
    message:
      'This request needs a token with role {role}; send it as Authorization: Bearer TOKEN, or for a WebSocket as subprotocol southbridge.bearer.TOKEN.',
  },
  'token-unknown': {
    status: 401,
    message: 'The token is unknown or has been revoked; ask the operator of this server for another.',
  },
  'token-expired': {
    status: 401,
    message: 'The token expired at {expires}; ask the operator of this server for another.',
  },
  'machine-not-allowed': {
    status: 403,
    message:
      'The token gives access to the machines {allowed} only, not to {machine}; use a token with access to {machine}.',
  },
  'token-busy': {
    status: 429,
    message:
      'The token has used more than {msPerSecond} ms of gateway time per second; try again in {retryAfter} s, or raise limits.gatewayMsPerSecond.',
  },
  'export-busy': {
    status: 429,
    message: 'Another trace is being exported; try again in {retryAfter} s.',
  },
  'role-too-low': {
    status: 403,
    message:
      'The token has role {has}, but this request needs role {role}; ask the operator of this server for a token with that role.',
  },
  'forwarding-refused': {
    status: 403,
    message:
      'No node of this cluster has signed the header Southbridge-Forwarded of this request; leave the header out, as only nodes can sign it.',
  },
  'token-in-url': {
    status: 400,
    message:
      'The URL contains a token, and logs and browser histories store URLs; replace the token, and send the new one as Authorization: Bearer TOKEN.',
  },
} as const;
