/** What each coded error means. `{name}` in a sentence stands for the detail of that name. */
export const ERRORS = {
  // Requests
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
  'token-in-url': {
    status: 400,
    message:
      'The URL contains a token, and logs and browser histories store URLs; replace the token, and send the new one as Authorization: Bearer TOKEN.',
  },

  // Machines
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

  // vCPUs
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
  'too-many-connections': {
    status: 503,
    message: 'All {limit} connections are in use; close one, or raise limits.connections.',
  },
  'too-many-from-address': {
    status: 429,
    message: 'There are already {limit} connections from {address}; close one, or raise limits.connectionsPerAddress.',
  },

  // Accesses
  'address-unassigned': {
    status: 404,
    message:
      'No device answers {size} bytes at {address}; the HPET is at 0xfed00000–0xfed003ff, the IOAPIC at 0xfec00000–0xfec00fff.',
  },
  'bad-size': {
    status: 400,
    message: 'An access of {size} bytes is not supported; use 1, 2, 4 or 8 bytes.',
  },
  'bad-address': {
    status: 400,
    message: '{address} is not a valid address; give a string such as "0xfed000f0".',
  },
  'value-too-wide': {
    status: 400,
    message: 'The value {value} does not fit in {size} bytes; use a wider access or a smaller value.',
  },
  'bad-gsi': {
    status: 400,
    message: 'There is no GSI {gsi}; GSIs are numbered 0 to 23.',
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
      'The Xen filter of machine {machine} ran without the BQL and aborted the access before it was complete; choose another xen.form, or a design whose irq axis is not lockless.',
  },

  // Frames of a socket
  'bad-message': {
    status: 400,
    message: 'The message is invalid: {reason}; docs/protocol.md describes every message.',
  },
  'unknown-message-type': {
    status: 400,
    message: 'There is no message of type {type}; the types are: {allowed}.',
  },
  'frame-too-large': {
    status: 413,
    message: 'The frame is larger than {limit} bytes; send a smaller frame, or raise limits.frameBytes.',
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
    message: 'Unknown key {key} ({source}){hint}; the keys allowed here are: {known}.',
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
      'Without tokens any client that reaches {host} has full access; name a token file with --token-file (southbridge token add creates it), permit this with --insecure, or listen on 127.0.0.1.',
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
    message: 'The token {name} already exists in {file}; choose another name, or remove it first.',
  },
  'unknown-token': {
    status: 404,
    message: 'There is no token {name} in {file}; southbridge token list lists the tokens.',
  },
  'port-in-use': {
    status: 500,
    message: 'Port {port} on {host} is in use; choose another with --port, or --port 0 for any free port.',
  },
  'port-not-permitted': {
    status: 500,
    message: 'This account may not listen on port {port} of {host}; choose a port above 1023 with --port.',
  },
  'host-unavailable': {
    status: 500,
    message: 'The address {host} does not belong to this host; choose another with --host.',
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
      'The change to machine {machine} was refused because {folder} has no space for it: {reason}. Nothing was changed; free space in that folder, and send the request again.',
  },
  'state-unavailable': {
    status: 503,
    message:
      'The change to machine {machine} was refused because {folder} cannot be used: {reason}. Nothing was changed; make the folder usable, and send the request again.',
  },
  'state-dir-in-use': {
    status: 500,
    message:
      'Another server ({holder}) stores its machines in {folder}; stop it first, or choose another folder with --state-dir.',
  },
  'state-dir-unusable': {
    status: 500,
    message:
      'The server cannot store machines in {folder}: {reason}; make the folder writable, or choose another with --state-dir.',
  },
  'checkpoint-version': {
    status: 500,
    message:
      'The checkpoint {file} has version {version}; this server reads version {known}. Start the server that wrote it, or move the file away.',
  },

  'checkpoint-unreadable': {
    status: 500,
    message:
      'The new checkpoint of machine {machine} could not be read back ({reason}), so the server kept the previous checkpoint. This is a bug: please report it; PUT a snapshot or POST /v1/machines/{machine}/restore to return to a state that can be saved.',
  },

  // Life cycle
  'state-not-kept': {
    status: 500,
    message:
      'At shutdown the server could not store all machines in {folder}: {reason}. Machines with an older checkpoint only: {machines}.',
  },
  'not-ready': {
    status: 503,
    message: 'The server is not ready: {reason}; try again in a moment.',
  },
  stalled: {
    status: 503,
    message: '{stall}. Other machines may still be served; restart the server if this does not end.',
  },
  'shutting-down': {
    status: 503,
    message: 'The server is shutting down; reconnect after it has restarted.',
  },
  internal: {
    status: 500,
    message: 'The server failed to handle the request; its log has the details under request {request}.',
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
