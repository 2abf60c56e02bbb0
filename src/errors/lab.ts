/** Explorations on the server. */
export const LAB = {
  'no-examiner': {
    status: 501,
    message: 'This server runs no explorations; start it with npx southbridge serve, or run npx southbridge explore.',
  },
  'unknown-design': {
    status: 404,
    message: 'There is no design {design}; GET /v1/lab/designs lists all of them.',
  },
  'unknown-scenario': {
    status: 404,
    message: 'There is no scenario {scenario}; GET /v1/lab/scenarios lists all of them.',
  },
  'examiner-busy': {
    status: 429,
    message: 'Another exploration is running, and the server runs one at a time; repeat the request in {retryAfter} s.',
  },
  'exploration-limit': {
    status: 422,
    message:
      'The exploration of {design} × {scenario} reached the limit of {limit}; run npx southbridge explore --locking {design} --scenario {scenario}, which has none.',
  },
} as const;
