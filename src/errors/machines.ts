/** Machines as a whole: their state, clock and snapshots. */
export const MACHINES = {
  'unknown-machine': {
    status: 404,
    message: 'There is no machine {machine}; GET /v1/machines lists the machines, POST /v1/machines creates one.',
  },
  'machine-exists': {
    status: 409,
    message: 'Machine {machine} already exists; choose another name, or delete it first.',
  },
  'too-many-machines': {
    status: 409,
    message: 'All {limit} machines are in use; delete one, or raise limits.machines and restart the server.',
  },
  'machine-closing': {
    status: 410,
    message: 'Machine {machine} is being deleted and accepts no more requests.',
  },
  'machine-hung': {
    status: 409,
    message:
      'Threads of machine {machine} are hung; GET /v1/machines/{machine}/deadlocks lists them, DELETE /v1/machines/{machine} frees them.',
  },
  'machine-suspect': {
    status: 409,
    message:
      'A thread died inside machine {machine}, so its registers may be inconsistent; POST /v1/machines/{machine}/restore, PUT a snapshot, or DELETE it.',
  },
  'machine-restored': {
    status: 409,
    message: 'Another request restored machine {machine} in the meantime; check its state before you restore it again.',
  },
  'no-checkpoint': {
    status: 409,
    message:
      'There is no checkpoint of machine {machine}; PUT a snapshot, or start the server with --state-dir to get checkpoints.',
  },
  'machine-paused': {
    status: 409,
    message: 'Machine {machine} is paused, and its clock is stopped; POST /v1/machines/{machine}/resume first.',
  },
  'clock-not-manual': {
    status: 409,
    message:
      'The clock of machine {machine} follows the host and cannot be stepped; create a machine with clock: manual.',
  },
  'step-too-far': {
    status: 400,
    message: 'A step of {ns} ns would take the clock beyond 2^53 ns; the clock is at {now} ns, so use a smaller step.',
  },
  'step-cancelled': {
    status: 409,
    message:
      'The step of {ns} ns ended early, at a virtual time of {virtualTime} ns: machine {machine} was reset, paused or deleted. Continue from that time.',
  },
  'snapshot-version': {
    status: 409,
    message:
      'The snapshot has version {version}; this server reads version {known}. Take a new snapshot with this server.',
  },
  'snapshot-of-another': {
    status: 409,
    message:
      'The snapshot comes from a machine whose {key} differs from that of {machine}; create a machine with the config of the snapshot.',
  },
  'bad-snapshot': {
    status: 400,
    message: 'The snapshot is invalid: {what}; take it again with GET /v1/machines/NAME/snapshot, and do not edit it.',
  },
  'jump-too-far': {
    status: 409,
    message:
      'A jump of {ms} ms (the elapsed wall-clock time) would take the clock of machine {machine} beyond its maximum; use counter=continue, or correct the wall clock.',
  },
  'no-xen-filter': {
    status: 409,
    message:
      'Machine {machine} has no Xen filter that could run a callback; create a machine with xen.form other than none.',
  },
  'not-traced': {
    status: 409,
    message: 'Machine {machine} has not been traced yet; PUT enabled: true to /v1/machines/{machine}/trace first.',
  },
} as const;

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
