/** Origins, tokens and roles, and what a token may use up. */
export const SECURITY = {
  'foreign-origin': {
    status: 403,
    message: 'Pages of {origin} may not use this server; add the origin to allowedOrigins if they should.',
  },
  'foreign-host': {
    status: 403,
    message: 'This server does not answer to the host {host}; add it to allowedHosts if it should.',
  },
  'token-missing': {
    status: 401,
    message:
      'This needs a token with role {role}; show it as Authorization: Bearer TOKEN, or to a WebSocket as subprotocol southbridge.bearer.TOKEN.',
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
      'The token is limited to the machines {allowed}, and this concerns {machine}; use a token that may use it.',
  },
  'token-busy': {
    status: 429,
    message:
      'The token has used more than {msPerSecond} ms of the gateway in each second; try again in {retryAfter} s, or raise limits.gatewayMsPerSecond.',
  },
  'export-busy': {
    status: 429,
    message: 'Another trace is being exported; try again in {retryAfter} s.',
  },
  'role-too-low': {
    status: 403,
    message: 'The token has role {has}, and this needs {role}; ask the operator of this server for one that has it.',
  },
  'token-in-url': {
    status: 400,
    message:
      'A token does not belong in a URL, where logs and histories keep it; have this one replaced, and show it as Authorization: Bearer TOKEN.',
  },
} as const;
