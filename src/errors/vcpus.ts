/** vCPUs and their connections. */
export const VCPUS = {
  'unknown-vcpu': {
    status: 404,
    message: 'Machine {machine} has no vCPU {vcpu}; its vCPUs are 0 to {last}.',
  },
  'vcpu-taken': {
    status: 409,
    message: 'vCPU {vcpu} of machine {machine} is already connected; close that connection, or send its resume token.',
  },
  'wrong-resume-token': {
    status: 403,
    message:
      'Another connection owns vCPU {vcpu} of machine {machine}, and the resume token is invalid; send the token of that connection, or close that connection.',
  },
  'vcpu-replaced': {
    status: 409,
    message: 'Another connection sent the resume token of vCPU {vcpu} and replaced this connection, which is closed.',
  },
  'resume-first': {
    status: 409,
    message: 'The first message of a connection is resume, and it comes once; this one is {type}.',
  },
  'too-many-connections': {
    status: 503,
    message: 'All {limit} connections are in use; close one, or raise limits.connections.',
  },
  'too-many-from-address': {
    status: 429,
    message: 'There are already {limit} connections from {address}; close one, or raise limits.connectionsPerAddress.',
  },
} as const;
