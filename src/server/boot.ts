import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { type Logger, pino } from 'pino';
import type { App } from '../../routes/index.js';
import { isLoopback } from '../config/exposure.js';
import { addressesOf } from '../config/listen.js';
import type { Configuration } from '../config/schema.js';
import { SouthbridgeError } from '../errors.js';
import type { ThreadDeath } from '../runtime/engine.js';
import { within } from '../runtime/promises.js';
import type { buildApp } from './app.js';
import type { Cluster } from './cluster/open-cluster.js';
import { Admission } from './security/admission.js';
import { readTlsFiles } from './security/tls-files.js';
import { listenOnUnixSocket } from './security/unix-socket.js';
import type { Examiner } from './service/examinations.js';
import { loadOf } from './service/node-load.js';
import { socketsFor } from './service/open-files.js';
import { Service } from './service/service.js';
import { Checkpoints } from './state/checkpoints.js';

/** A server that listens. */
export interface RunningServer {
  /** Of TCP, as in `http://127.0.0.1:8080`; of a server without TCP its Unix socket, as in `unix:/run/southbridge.sock`. */
  readonly url: string;
  /**
   * Reads tokens and certificate again. New connections are held to them at once; connections of tokens that are gone
   * end. What cannot be used is logged, and what was before stays.
   */
  reload(): void;
  /** Stops listening, tells all clients, and ends the threads. */
  close(): Promise<void>;
  /** Resolves when the server cannot go on: its main loop has ended, or a thread stalled and `watchdog.exit` is on. */
  readonly failed: Promise<Error>;
  /** Whether every thread that has work makes progress. */
  readonly makesProgress: boolean;
  /** After that: tells all clients, for a moment; nothing is kept of what the threads left. */
  abandon(): Promise<void>;
}

/**
 * Starts the threads, makes the configured machines and listens. Throws a SouthbridgeError if it cannot listen. Without
 * `examiner` the server runs no explorations.
 */
export async function startServer(configuration: Configuration, examiner?: Examiner): Promise<RunningServer> {
  const logger = pino({ level: configuration.logLevel }, pino.destination({ dest: 2, sync: true }));
  const admission = new Admission(configuration.tokenFile);
  // A Unix socket has no need of it.
  const tls = addressesOf(configuration).tcp ? readTlsFiles(configuration.tls) : undefined;
  const { checkpoints, cluster } = await openCheckpoints(configuration, logger);
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  const service = new Service(
    configuration,
    (death, machines) => {
      if (death.slots) logThreadDeath(logger, death, machines);
      else fail(new Error(`the main loop has ended (${messageOf(death.reason)}), and no timer fires any more`));
    },
    checkpoints,
    examiner,
  );
  service.cluster = cluster;
  if (cluster) {
    cluster.load = loadOf(service.engine);
    // Threads do nothing for machines before the node has a lease.
    service.engine.lease(undefined);
    cluster.lease = (until) => service.engine.lease(until);
  }
  service.onStall = (text, isEnded) => {
    logger.error(isEnded ? `${text}. Another thread took its place, and that machine is suspect now` : text);
    if (configuration.watchdog.exit && !isEnded) fail(new Error(text));
  };
  const started = service.start();
  let app: App;
  try {
    app = await listen({ service, logger, admission, tls }, started);
  } catch (error) {
    await started.catch(() => {});
    await checkpoints?.abandon();
    await service.close();
    throw listenError(error, configuration);
  }
  return {
    url: urlOf(app, configuration, tls ? 'https' : 'http'),
    reload: () => reload(app, admission, tls ? configuration.tls : undefined, logger),
    close: () => close(app, service, logger, checkpoints),
    failed,
    get makesProgress() {
      return service.engine.stalls.current.size === 0;
    },
    abandon: () => abandon(app, service),
  };
}

/** What keeps the machines of this server, if anything does. */
async function openCheckpoints(configuration: Configuration, logger: Logger): Promise<Partial<Cluster>> {
  if (configuration.cluster.servers.length === 0)
    return configuration.stateDir ? { checkpoints: await Checkpoints.open(configuration, logger) } : {};
  // Loaded with the libraries of NATS, which a server that is alone has no use for.
  const { openCluster } = await import('./cluster/open-cluster.js');
  return openCluster(configuration, logger);
}

/** Builds what answers clients, and listens once the threads have started. */
async function listen(parts: Parameters<typeof buildApp>[0], started: Promise<void>): Promise<App> {
  // It is waited for below.
  started.catch(() => {});
  // Loaded while the threads load what they need: together they are most of the time of a start.
  const { buildApp } = await import('./app.js');
  const app = await buildApp(parts);
  const { configuration } = parts.service;
  if (addressesOf(configuration).tcp && !isLoopback(configuration.host)) warn(configuration, parts.logger);
  const sockets = socketsFor(configuration);
  if (sockets < configuration.limits.sockets) {
    parts.logger.warn(
      { sockets },
      `the limit of open files leaves room for ${sockets} connections, fewer than limits.sockets`,
    );
  }
  try {
    await started;
    await quietly(parts.logger, () => listenOn(app, configuration, parts.logger));
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}

async function listenOn(app: App, configuration: Configuration, logger: Logger): Promise<void> {
  const { tcp, unix } = addressesOf(configuration);
  if (unix !== undefined) {
    const server = tcp ? beside(app) : app.server;
    await app.ready();
    await listenOnUnixSocket(server, unix);
    logger.info(`Server listening at unix:${unix}`);
  }
  if (tcp) await app.listen({ host: configuration.host, port: configuration.port });
}

/** A second server whose connections the first one serves, without TLS. It closes with the first one. */
function beside(app: App): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    // What a TLS server calls an HTTP connection comes after the handshake.
    app.server.emit('setSecureContext' in app.server ? 'secureConnection' : 'connection', socket);
  });
  server.maxConnections = app.server.maxConnections;
  const closed = new Promise((resolve) => server.once('close', resolve));
  app.addHook('preClose', async () => {
    server.close();
  });
  app.addHook('onClose', async () => {
    await closed;
  });
  return server;
}

/** On a terminal the command itself shows the address: Fastify's line of JSON would only come before it. */
async function quietly(logger: Logger, listen: () => Promise<unknown>): Promise<void> {
  const { level } = logger;
  if (process.stderr.isTTY && logger.isLevelEnabled('info')) logger.level = 'warn';
  try {
    await listen();
  } finally {
    logger.level = level;
  }
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

function logThreadDeath(logger: Logger, { thread, reason }: ThreadDeath, machines: readonly string[]): void {
  const suspect =
    machines.length > 0 ? `machines that are suspect now: ${machines.join(', ')}` : 'it was in no machine';
  logger.error({ err: reason, thread, machines }, `a vCPU thread has ended, and another took its place; ${suspect}`);
}

/** What is allowed, but better not done on a network that others use. */
function warn({ host, tokenFile, tls }: Configuration, logger: Logger): void {
  if (tokenFile === '')
    logger.warn({ host }, 'any client that reaches this server has full access: it has no token file');
  else if (tls.certFile === '')
    logger.warn({ host }, 'tokens can be read on the way: name tls.certFile and tls.keyFile');
}

function reload(app: App, admission: Admission, tls: Configuration['tls'] | undefined, logger: Logger): void {
  try {
    for (const change of admission.reload()) logger.info({ audit: true, ...change }, 'token changed');
    const files = tls && readTlsFiles(tls);
    if (files) (app.server as unknown as TlsServer).setSecureContext(files);
    logger.info('tokens and certificate are read again');
  } catch (error) {
    if (!(error instanceof SouthbridgeError)) throw error;
    logger.error({ err: error }, 'tokens and certificate stay as they were');
  }
}

async function close(app: App, service: Service, logger: Logger, checkpoints?: Checkpoints): Promise<void> {
  logger.info('closing');
  await service.drain(DRAIN_MS);
  const closed = app.close();
  // Requests that stay open are cut off; sockets have a grace period of their own.
  const timer = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS);
  try {
    await closed;
  } finally {
    // Whatever else went wrong: what machines have come to is kept, and no thread stays.
    clearTimeout(timer);
    try {
      await checkpoints?.close(KEEP_MS);
    } finally {
      await service.close();
    }
  }
}

async function abandon(app: App, service: Service): Promise<void> {
  service.draining = true;
  app.server.closeAllConnections();
  await within(ABANDON_MS, app.close(), undefined);
}

/** For telling clients that the server has failed. */
const ABANDON_MS = 1000;
/** For requests to machines that are in flight. */
const DRAIN_MS = 1000;
/** For HTTP requests in flight. */
const CLOSE_MS = 2500;
/** For the last checkpoints. */
const KEEP_MS = 5000;

function listenError(error: unknown, { host, port }: Configuration): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new SouthbridgeError('port-in-use', { host, port });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new SouthbridgeError('host-unavailable', { host });
    case 'EACCES':
      return new SouthbridgeError('port-not-permitted', { host, port });
    default:
      return error;
  }
}

function urlOf(app: App, configuration: Configuration, scheme: string): string {
  const { tcp, unix } = addressesOf(configuration);
  if (!tcp) return `unix:${unix}`;
  const { address, family, port } = app.server.address() as AddressInfo;
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
