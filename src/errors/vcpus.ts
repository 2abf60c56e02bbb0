/** vCPUs and their connections. */
export const VCPUS = {
  'unknown-vcpu': {
    status: 404,
    message: 'Machine {machine} has no vCPU {vcpu}; its vCPUs are 0 to {last}.',
  },
  'vcpu-taken': {
    status: 409,
    message: 'vCPU {vcpu} of machine {machine} is connected already; close that connection, or show its resume token.',
  },
  'wrong-resume-token': {
    status: 403,
    message:
      'Another connection holds vCPU {vcpu} of machine {machine}, and the resume token is not valid; show its token, or close it.',
  },
  'vcpu-replaced': {
    status: 409,
    message: 'Another connection showed the resume token of vCPU {vcpu} and took over; this one is closed.',
  },
  'too-many-connections': {
    status: 503,
    message: 'All {limit} connections are in use; close one, or raise limits.connections.',
  },
  'too-many-from-address': {
    status: 429,
    message: 'There are {limit} connections from {address} already; close one, or raise limits.connectionsPerAddress.',
  },
} as const;
