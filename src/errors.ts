/** What each coded error means. `{name}` in a sentence stands for the detail of that name. */
export const ERRORS = {
  // Requests
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
    message: 'The key {key} stands twice in one object; give it once.',
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
    message: '{path} is a WebSocket; connect with the subprotocol southbridge.v1.proto or southbridge.v1.json.',
  },
  'not-a-socket': {
    status: 400,
    message: '{path} is no WebSocket; send a plain request.',
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

  // Machines
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

  // vCPUs
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

  // Accesses
  'address-unassigned': {
    status: 404,
    message:
      'No device answers {size} bytes at {address}; the HPET is at 0xfed00000–0xfed003ff, the IOAPIC at 0xfec00000–0xfec00fff.',
  },
  'bad-size': {
    status: 400,
    message: 'An access of {size} bytes is not possible; use 1, 2, 4 or 8.',
  },
  'bad-address': {
    status: 400,
    message: '{address} is not an address; give a string such as "0xfed000f0".',
  },
  'value-too-wide': {
    status: 400,
    message: 'The value {value} does not fit in {size} bytes; use a wider access or a smaller value.',
  },
  'bad-gsi': {
    status: 400,
    message: 'There is no GSI {gsi}; lines are numbered 0 to 23.',
  },
  'bad-vector': {
    status: 400,
    message: '{vector} is not an interrupt vector; vectors are 0 to 255.',
  },
  'bad-port': {
    status: 404,
    message: 'No device answers at port {port}; the 8259 pair is at 0x20, 0x21, 0xa0, 0xa1, 0x4d0 and 0x4d1.',
  },

  'bql-not-held': {
    status: 500,
    message:
      'The Xen filter of machine {machine} found the BQL not held, and broke the access off half way; choose another form of xen, or a design whose irq axis is not lockless.',
  },

  // Frames of a socket
  'bad-message': {
    status: 400,
    message: 'The message is not valid: {reason}; docs/protocol.md describes each.',
  },
  'unknown-message-type': {
    status: 400,
    message: 'There is no message of type {type}; known are: {allowed}.',
  },
  'frame-too-large': {
    status: 413,
    message: 'The frame is larger than {limit} bytes; send less at a time, or raise limits.frameBytes.',
  },
  'batch-too-large': {
    status: 413,
    message: 'A batch of {count} accesses is too long; send at most {limit}, or raise limits.batchAccesses.',
  },

  // Configuration and start
  'config-unreadable': {
    status: 400,
    message: 'The configuration file {file} cannot be read: {reason}.',
  },
  'config-unknown-key': {
    status: 400,
    message: 'The key {key} ({source}) is not known{hint}; known here are: {known}.',
  },
  'config-missing-key': {
    status: 400,
    message: 'The key {key} ({source}) is missing; it must be {expected}.',
  },
  'config-wrong-type': {
    status: 400,
    message: 'The key {key} ({source}) has a value of the wrong type; it must be {expected}.',
  },
  'config-not-allowed': {
    status: 400,
    message: 'The value {value} of key {key} ({source}) is not allowed; it must be {expected}.',
  },
  'config-exposed': {
    status: 400,
    message:
      'Without tokens any client that reaches {host} has full access; name a file of tokens by --token-file (southbridge token add makes it), or allow it by --insecure, or listen on 127.0.0.1.',
  },
  'token-file-unusable': {
    status: 500,
    message: 'The token file {file} cannot be used: {reason}.',
  },
  'tls-file-unusable': {
    status: 500,
    message: 'TLS cannot use {file}: {reason}.',
  },
  'token-exists': {
    status: 409,
    message: 'There is a token {name} in {file} already; choose another name, or remove it first.',
  },
  'unknown-token': {
    status: 404,
    message: 'There is no token {name} in {file}; southbridge token list shows those that are there.',
  },
  'port-in-use': {
    status: 500,
    message: 'Port {port} on {host} is in use; choose another with --port, or --port 0 for any that is free.',
  },
  'port-not-permitted': {
    status: 500,
    message: 'This account may not listen on port {port} of {host}; choose a port above 1023 with --port.',
  },
  'host-unavailable': {
    status: 500,
    message: 'The address {host} does not belong to this computer; choose another with --host.',
  },
  'socket-in-use': {
    status: 500,
    message:
      'A running server listens on the Unix socket {path}; choose another path with --listen unix:PATH, or stop that server.',
  },
  'socket-unusable': {
    status: 500,
    message:
      'The server cannot listen on the Unix socket {path}: {reason}; choose another path with --listen unix:PATH, or make this one usable.',
  },

  'too-few-files': {
    status: 500,
    message:
      'This process may open {limit} files, and a server with these threads needs {needed}; raise the limit (ulimit -n, LimitNOFILE of systemd), or lower vcpuThreads.',
  },
  'state-no-space': {
    status: 507,
    message:
      'The change to machine {machine} was refused because {folder} has no space for it: {reason}. Nothing was changed; free space there, and send the request again.',
  },
  'state-unavailable': {
    status: 503,
    message:
      'The change to machine {machine} was refused because {folder} cannot be used: {reason}. Nothing was changed; make the folder usable, and send the request again.',
  },
  'state-dir-in-use': {
    status: 500,
    message:
      'Another server ({holder}) keeps its machines in {folder}; end it first, or choose another with --state-dir.',
  },
  'state-dir-unusable': {
    status: 500,
    message: 'No machines can be kept in {folder}: {reason}; make it writable, or choose another with --state-dir.',
  },
  'checkpoint-version': {
    status: 500,
    message:
      'The checkpoint {file} has version {version}; this server reads version {known}. Start the server that wrote it, or move the file away.',
  },

  'checkpoint-unreadable': {
    status: 500,
    message:
      'The new checkpoint of machine {machine} could not be read back ({reason}), so it was not written and the one before it stays. This is a bug: please report it; PUT a snapshot or POST /v1/machines/{machine}/restore to go on from a state that can be saved.',
  },

  // Life cycle
  'state-not-kept': {
    status: 500,
    message:
      'At the end not all could be kept in {folder}: {reason}. Machines of which only older checkpoints are there: {machines}.',
  },
  'not-ready': {
    status: 503,
    message: 'The server is not ready: {reason}; try again in a moment.',
  },
  'shutting-down': {
    status: 503,
    message: 'The server is shutting down; connect again when it is back.',
  },
  internal: {
    status: 500,
    message: 'The server failed to handle this; its log has the details under request {request}.',
  },
} as const satisfies { readonly [code: string]: { readonly status: number; readonly message: string } };

export type ErrorCode = keyof typeof ERRORS;
export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

type Placeholder<Sentence extends string> = Sentence extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholder<Rest>
  : never;

/** What a sentence needs, and whatever else helps a program. */
export type ErrorDetails<Code extends ErrorCode> = {
  readonly [Name in Placeholder<(typeof ERRORS)[Code]['message']>]: string | number;
} & { readonly code?: never; readonly message?: never; readonly [name: string]: unknown };

/** Details may be left out if the sentence has no placeholder. */
type Arguments<Code extends ErrorCode> = [Placeholder<(typeof ERRORS)[Code]['message']>] extends [never]
  ? [details?: ErrorDetails<Code>]
  : [details: ErrorDetails<Code>];

/** What goes over the wire. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly [name: string]: unknown };
}

/** A refusal with a code that programs can rely on, and a sentence that says what to do. */
export class SouthbridgeError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'SouthbridgeError';
  readonly details: { readonly [name: string]: unknown };

  constructor(
    readonly code: Code,
    ...[details]: Arguments<Code>
  ) {
    super(sentence(ERRORS[code].message, details ?? {}));
    this.details = details ?? {};
  }

  /** The HTTP status. */
  get status(): number {
    return ERRORS[this.code].status;
  }

  toJSON(): ErrorBody {
    return { error: { code: this.code, message: this.message, ...this.details } };
  }
}

function sentence(template: string, details: { readonly [name: string]: unknown }): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(details[name]));
}
