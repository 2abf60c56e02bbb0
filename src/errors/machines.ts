/** Machines as a whole: their state, clock and snapshots. */
export const MACHINES = {
  'unknown-machine': {
    status: 404,
    message: 'There is no machine {machine}; GET /v1/machines lists them, POST /v1/machines makes one.',
  },
  'machine-exists': {
    status: 409,
    message: 'There is a machine {machine} already; choose another name, or delete it first.',
  },
  'too-many-machines': {
    status: 409,
    message: 'All {limit} machines are in use; delete one, or raise limits.machines and start again.',
  },
  'machine-closing': {
    status: 410,
    message: 'The machine {machine} is being deleted; nothing more can be done with it.',
  },
  'machine-hung': {
    status: 409,
    message:
      'Threads hang in machine {machine}; GET /v1/machines/{machine}/deadlocks tells which, and DELETE frees them.',
  },
  'machine-suspect': {
    status: 409,
    message:
      'A thread died in machine {machine}, and left it in no known state; POST /v1/machines/{machine}/restore or PUT a snapshot to go on, or DELETE it.',
  },
  'machine-restored': {
    status: 409,
    message: 'Machine {machine} was restored by another request meanwhile; look at it before you restore it again.',
  },
  'no-checkpoint': {
    status: 409,
    message:
      'There is no checkpoint of machine {machine}; PUT a snapshot of it, or start the server with --state-dir to have checkpoints.',
  },
  'machine-paused': {
    status: 409,
    message: 'Machine {machine} is paused, and its clock stands still; POST /v1/machines/{machine}/resume first.',
  },
  'clock-not-manual': {
    status: 409,
    message:
      'The clock of machine {machine} follows the host and cannot be stepped; make a machine with clock: manual.',
  },
  'step-too-far': {
    status: 400,
    message: 'A step of {ns} ns would take the clock beyond 2^53 ns; it now stands at {now} ns.',
  },
  'step-cancelled': {
    status: 409,
    message:
      'The step of {ns} ns ended early, at a virtual time of {virtualTime} ns: machine {machine} was reset, paused or deleted. Step on from there.',
  },
  'snapshot-version': {
    status: 409,
    message: 'The snapshot has version {version}; this server reads version {known}. Take it again with this server.',
  },
  'snapshot-of-another': {
    status: 409,
    message:
      'The snapshot is of a machine with another {key} than {machine}; make a machine with the config of the snapshot.',
  },
  'bad-snapshot': {
    status: 400,
    message: 'The snapshot was not made by this server, or was changed: {what}.',
  },
  'jump-too-far': {
    status: 409,
    message:
      'A jump by the {ms} ms that the wall clock has passed would take the clock of machine {machine} beyond its end; use counter=continue, or set the wall clock right.',
  },
  'no-xen-filter': {
    status: 409,
    message: 'Machine {machine} has no Xen filter to take a callback; make a machine with xen.form other than none.',
  },
  'not-traced': {
    status: 409,
    message: 'Machine {machine} was not traced yet; PUT enabled: true to /v1/machines/{machine}/trace first.',
  },
} as const;
