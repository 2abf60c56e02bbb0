import type { AddressInfo } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { type Logger, pino } from 'pino';
import type { App } from '../routes/index.js';
import { buildApp } from './app.js';
import { isLoopback } from './config/exposure.js';
import type { Configuration } from './config/schema.js';
import { SouthbridgeError } from './errors.js';
import { Admission } from './security/admission.js';
import { readTlsFiles } from './security/tls-files.js';
import { Service } from './service/service.js';
import { Checkpoints } from './state/checkpoints.js';

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /**
   * Reads tokens and certificate again. New connections are held to them at once; connections of tokens that are gone
   * end. What cannot be used is logged, and what was before stays.
   */
  reload(): void;
  /** Stops listening, tells all clients, and ends the threads. */
  close(): Promise<void>;
}

/** Starts the threads, makes the configured machines and listens. Throws a SouthbridgeError if it cannot listen. */
export async function startServer(configuration: Configuration): Promise<RunningServer> {
  const logger = pino({ level: configuration.logLevel }, pino.destination({ dest: 2, sync: true }));
  const admission = new Admission(configuration.tokenFile);
  const tls = readTlsFiles(configuration.tls);
  const checkpoints = configuration.stateDir ? await Checkpoints.open(configuration, logger) : undefined;
  const onFailure = (error: unknown) => logger.fatal({ err: error }, 'a thread has ended');
  const service = new Service(configuration, onFailure, checkpoints);
  const app = await buildApp({ service, logger, admission, tls });
  if (!isLoopback(configuration.host)) warn(configuration, logger);
  try {
    await service.start();
    await app.listen({ host: configuration.host, port: configuration.port });
  } catch (error) {
    await app.close();
    await checkpoints?.abandon();
    await service.close();
    throw listenError(error, configuration);
  }
  return {
    url: urlOf(app, tls ? 'https' : 'http'),
    reload: () => reload(app, admission, configuration, logger),
    close: () => close(app, service, logger, checkpoints),
  };
}

/** What is allowed, but better not done on a network that others use. */
function warn({ host, tokenFile, tls }: Configuration, logger: Logger): void {
  if (tokenFile === '') logger.warn({ host }, 'whoever reaches this server may do everything: it has no token file');
  else if (tls.certFile === '')
    logger.warn({ host }, 'tokens can be read on the way: name tls.certFile and tls.keyFile');
}

function reload(app: App, admission: Admission, { tls }: Configuration, logger: Logger): void {
  try {
    admission.reload();
    const files = readTlsFiles(tls);
    if (files) (app.server as unknown as TlsServer).setSecureContext(files);
    logger.info('tokens and certificate are read again');
  } catch (error) {
    if (!(error instanceof SouthbridgeError)) throw error;
    logger.error({ err: error }, 'tokens and certificate stay as they were');
  }
}

async function close(app: App, service: Service, logger: Logger, checkpoints?: Checkpoints): Promise<void> {
  service.draining = true;
  logger.info('closing');
  const closed = app.close();
  // Whoever keeps a request open is not waited for; sockets have their own grace.
  const timer = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS);
  await closed;
  clearTimeout(timer);
  try {
    await checkpoints?.close(KEEP_MS);
  } finally {
    await service.close();
  }
}

/** For HTTP requests under way. */
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

function urlOf(app: App, scheme: string): string {
  const { address, family, port } = app.server.address() as AddressInfo;
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
