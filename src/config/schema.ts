import { type Static, Type } from '../schema/type.js';
import { MachineConfig } from './machine.js';

/** Thread numbers fit in a table of 64, of which the gateway and the main loop take two and 0 means none. */
const MAX_VCPU_THREADS = 61;
const MAX_MACHINES = 65_536;
/** Records in a thread's trace ring by default: 1 MiB, which a busy thread fills in some milliseconds. */
export const TRACE_RECORDS = 32_768;

/** pino's levels, most talkative first. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

function limit(fallback: number, minimum: number, maximum: number, description: string) {
  return Type.Optional(Type.Integer({ default: fallback, minimum, maximum, description }));
}

const Limits = Type.Object(
  {
    machines: limit(1024, 1, MAX_MACHINES, 'Machines at a time; each takes 6.9 KiB of address space from the start.'),
    connections: limit(1024, 1, 65_536, 'Open connections of vCPUs and of subscribers at a time, together.'),
    connectionsPerAddress: limit(1024, 1, 65_536, 'The same, from one address.'),
    sockets: limit(
      4096,
      1,
      65_536,
      'TCP connections at a time, whatever they are used for; more are cut off before they say anything.',
    ),
    socketsPerAddress: limit(
      0,
      0,
      65_536,
      'TCP connections at a time from one address before a token is shown over them; 0: half of `sockets`, at least 4.',
    ),
    headersMs: limit(
      10_000,
      100,
      600_000,
      'Milliseconds for the headers of a request to come, and before them for a TLS handshake.',
    ),
    requestMs: limit(
      30_000,
      100,
      600_000,
      'Milliseconds for a whole request to come, not less than `headersMs`; with `headersMs` also for a client to take some of its answer.',
    ),
    missedHeartbeats: limit(
      4,
      1,
      1_000_000,
      'Heartbeats in a row without a sign of life from a client, after which it is cut off.',
    ),
    framesPerSecond: limit(
      500_000,
      1,
      10_000_000,
      'WebSocket frames that one vCPU may send in a second; its socket is read no further while it is ahead of that.',
    ),
    gatewayMsPerSecond: limit(
      500,
      1,
      1000,
      "Milliseconds of the gateway's thread that HTTP requests with one token may use in a second, on average over ten.",
    ),
    frameBytes: limit(1_048_576, 1024, 16_777_216, 'Largest WebSocket frame that a client may send.'),
    bodyBytes: limit(1_048_576, 1024, 16_777_216, 'Largest body of an HTTP request.'),
    batchAccesses: limit(4096, 1, 65_536, 'Accesses in one batch.'),
    bufferedBytes: limit(
      8_388_608,
      65_536,
      1_073_741_824,
      'Bytes that may wait for a client which reads too slowly, before interrupts and events for it are counted.',
    ),
    requestsUnderWay: limit(1024, 1, 65_536, 'Requests of one vCPU in flight, before its socket is read no further.'),
    pendingInterrupts: limit(
      4096,
      0,
      1_048_576,
      'Interrupts and events kept for a client that is away, reads too slowly or acknowledges none; a gap reports the others.',
    ),
    measuredMachines: limit(
      64,
      0,
      256,
      'Machines that have metrics of their own at a time; the others of a design share theirs.',
    ),
    traceRecords: limit(
      TRACE_RECORDS,
      1024,
      1_048_576,
      'Records of 32 bytes that each thread keeps of machines which are traced; the oldest are overwritten.',
    ),
    history: limit(4096, 0, 1_048_576, 'IRQ events that each machine keeps for subscribers who come back.'),
  },
  { additionalProperties: false, default: {} },
);

const Tls = Type.Object(
  {
    certFile: pemFile("The server's certificate, and those that vouch for it. With it the server speaks HTTPS."),
    keyFile: pemFile("The certificate's private key, which nobody but the file's owner may read."),
  },
  { additionalProperties: false, default: {} },
);

const Watchdog = Type.Object(
  {
    exit: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'Whether the server ends, with exit status 70, when a thread with work makes no progress for 5 seconds and cannot be replaced.',
      }),
    ),
  },
  { additionalProperties: false, default: {} },
);

const Cluster = Type.Object(
  {
    servers: Type.Optional(
      Type.Array(Type.String({ pattern: '^(nats|tls)://[^/@]+$', examples: ['nats://10.0.0.1:4222'] }), {
        default: [],
        description:
          'NATS servers, 2.10.27 or later, with JetStream, that hold the machines of a cluster of nodes: docs/scale.md. Empty: this server is alone.',
      }),
    ),
    node: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{0,64}$',
        default: '',
        description: 'Name of this server in the cluster, which no other node has.',
      }),
    ),
    address: Type.Optional(
      Type.String({
        pattern: '^(https?://[^/]+)?$',
        examples: ['http://10.0.0.1:8080'],
        default: '',
        description: 'URL under which clients and other nodes reach this server.',
      }),
    ),
    credentialsFile: Type.Optional(
      Type.String({
        maxLength: 4096,
        default: '',
        description: "File with this node's credentials for NATS, as `nsc` makes it. Empty: none.",
      }),
    ),
    bucket: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{1,64}$',
        default: 'southbridge',
        description: 'Begins the names of the buckets in JetStream; nodes with the same one are one cluster.',
      }),
    ),
    redirect: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'Whether requests for machines of other nodes are answered with 307 and the address of the owner, and not forwarded. `redirect` in the query decides for one request.',
      }),
    ),
    replicas: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 5,
        default: 3,
        description: 'NATS servers that have each machine: 3 survive the loss of one. Used when the buckets are made.',
      }),
    ),
    eventRecords: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        default: 1000,
        description: 'Records of at most 64 events that JetStream keeps of each machine.',
      }),
    ),
    eventHours: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 8760,
        default: 24,
        description: 'Hours for which JetStream keeps events at most.',
      }),
    ),
    leaseMs: Type.Optional(
      Type.Integer({
        minimum: 500,
        maximum: 600_000,
        default: 3000,
        description:
          'Milliseconds after its last contact with NATS for which a node goes on with its machines; others take them a fifth later.',
      }),
    ),
  },
  { additionalProperties: false, default: {} },
);

function pemFile(description: string) {
  return Type.Optional(Type.String({ maxLength: 4096, default: '', description: `${description} PEM.` }));
}

/** The whole configuration, as a file may give it. */
export const ConfigurationSchema = Type.Object(
  {
    host: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        default: '127.0.0.1',
        description: 'Address or name to listen on.',
      }),
    ),
    port: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65_535, default: 8080, description: 'TCP port; 0 takes any that is free.' }),
    ),
    listen: Type.Optional(
      Type.String({
        pattern: '^(tcp|(tcp,)?unix:[^,]+)$',
        maxLength: 4096,
        default: 'tcp',
        examples: ['tcp', 'unix:/run/southbridge.sock', 'tcp,unix:/run/southbridge.sock'],
        description:
          '`tcp`: on `host` and `port`. `unix:PATH`: on a Unix socket of mode 0600, whose clients need no token. `tcp,unix:PATH`: on both.',
      }),
    ),
    logLevel: Type.Optional(
      Type.Enum([...LOG_LEVELS], { default: 'info', description: 'What is logged: this level and those after it.' }),
    ),
    vcpuThreads: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_VCPU_THREADS,
        default: 2,
        description: 'Threads that execute accesses. The vCPUs of all machines share them.',
      }),
    ),
    execution: Type.Optional(
      Type.Enum(['auto', 'threads'], {
        default: 'auto',
        description:
          '`threads`: every access runs on a vCPU thread. `auto`: those that cannot block may run where they arrive.',
      }),
    ),
    design: Type.Optional(
      Type.String({
        maxLength: 4096,
        default: '',
        description:
          'Path of an ES module with a locking design (docs/adding-a-design.md), which `locking` of a machine may then name. It runs with all rights of the server, so no environment variable and no request can name it.',
      }),
    ),
    allowedHosts: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
        default: [],
        description: 'Names under which requests may address this server, besides its address and loopback.',
      }),
    ),
    allowedOrigins: Type.Optional(
      Type.Array(Type.String({ pattern: '^https?://[^/]+$', examples: ['https://example.org'] }), {
        default: [],
        description: 'Origins, such as `https://example.org`, whose web pages may use this server, besides its own.',
      }),
    ),
    trustProxy: Type.Optional(
      Type.Array(Type.String({ pattern: '^[0-9a-fA-F.:]+(/[0-9]{1,3})?$', examples: ['192.0.2.1', '10.0.0.0/8'] }), {
        default: [],
        description:
          'Addresses and networks of proxies, such as `10.0.0.0/8`, whose `X-Forwarded-For` names the client; no other is believed.',
      }),
    ),
    tokenFile: Type.Optional(
      Type.String({
        maxLength: 4096,
        default: '',
        description:
          'File with the hashes of the tokens that let clients in, made by `npx southbridge token add`; if empty, nobody needs one.',
      }),
    ),
    insecure: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'Allows an address that other computers reach without a `tokenFile`: everybody may then do everything.',
      }),
    ),
    tls: Type.Optional(Tls),
    heartbeatMs: Type.Optional(
      Type.Integer({
        minimum: 10,
        maximum: 3_600_000,
        default: 15_000,
        description:
          'Milliseconds between signs of life: pings of a WebSocket, comments in a stream of Server-Sent Events.',
      }),
    ),
    resumeGraceMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3_600_000,
        default: 30_000,
        description:
          'Milliseconds after a start with `stateDir` for which the resume tokens of before still take vCPUs over.',
      }),
    ),
    stateDir: Type.Optional(
      Type.String({
        maxLength: 4096,
        default: '',
        description: 'Folder in which machines are kept beyond the end of the server: docs/operations.md. Empty: none.',
      }),
    ),
    stateIntervalMs: Type.Optional(
      Type.Integer({
        minimum: 10,
        maximum: 3_600_000,
        default: 10_000,
        description:
          'Milliseconds by which a checkpoint in `stateDir` may be older than its machine, if the disk is quick enough.',
      }),
    ),
    stateCounter: Type.Optional(
      Type.Enum(['continue', 'jump'], {
        default: 'continue',
        description:
          'Whether the clocks of machines from `stateDir` go on from where they were, or from as much later as has passed.',
      }),
    ),
    cluster: Type.Optional(Cluster),
    watchdog: Type.Optional(Watchdog),
    limits: Type.Optional(Limits),
    machines: Type.Optional(
      Type.Array(MachineConfig, {
        default: [{ name: 'default' }],
        description: 'Machines that exist from the start.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** What a user writes: keys with a default may be left out. */
export type ConfigurationInput = Static<typeof ConfigurationSchema>;

export type Limits = Configuration['limits'];

type Input = Required<ConfigurationInput>;
/** The configuration that a server starts with: every key has a value. */
export type Configuration = Omit<Input, 'limits' | 'machines' | 'tls' | 'cluster'> & {
  tls: Required<Input['tls']>;
  cluster: Required<Input['cluster']>;
  limits: Required<Input['limits']>;
  machines: MachineConfig[];
};
