import type { AddressInfo } from 'node:net';
import { type Logger, pino } from 'pino';
import type { App } from '../routes/index.js';
import { buildApp } from './app.js';
import type { Configuration } from './config/schema.js';
import { SouthbridgeError } from './errors.js';
import { Service } from './service/service.js';
import { Checkpoints } from './state/checkpoints.js';

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** Stops listening, tells all clients, and ends the threads. */
  close(): Promise<void>;
}

/** Starts the threads, makes the configured machines and listens. Throws a SouthbridgeError if it cannot listen. */
export async function startServer(configuration: Configuration): Promise<RunningServer> {
  const logger = pino({ level: configuration.logLevel }, pino.destination({ dest: 2, sync: true }));
  const checkpoints = configuration.stateDir ? await Checkpoints.open(configuration, logger) : undefined;
  const onFailure = (error: unknown) => logger.fatal({ err: error }, 'a thread has ended');
  const service = new Service(configuration, onFailure, checkpoints);
  const app = await buildApp({ service, logger });
  try {
    await service.start();
    await app.listen({ host: configuration.host, port: configuration.port });
  } catch (error) {
    await app.close();
    await checkpoints?.abandon();
    await service.close();
    throw listenError(error, configuration);
  }
  return { url: urlOf(app), close: () => close(app, service, logger, checkpoints) };
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

function urlOf(app: App): string {
  const { address, family, port } = app.server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
