import type { AddressInfo } from 'node:net';
import { type Logger, pino } from 'pino';
import type { App } from '../routes/index.js';
import { buildApp } from './app.js';
import type { Configuration } from './config/schema.js';
import { SouthbridgeError } from './errors.js';
import { Service } from './service/service.js';

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** Stops listening, tells all clients, and ends the threads. */
  close(): Promise<void>;
}

/** Starts the threads, makes the configured machines and listens. Throws a SouthbridgeError if it cannot listen. */
export async function startServer(configuration: Configuration): Promise<RunningServer> {
  const logger = pino({ level: configuration.logLevel }, pino.destination({ dest: 2, sync: true }));
  const service = new Service(configuration, (error) => logger.fatal({ err: error }, 'a thread has ended'));
  const app = await buildApp({ service, logger });
  try {
    await service.start();
    await app.listen({ host: configuration.host, port: configuration.port });
  } catch (error) {
    await app.close();
    await service.close();
    throw listenError(error, configuration);
  }
  return { url: urlOf(app), close: () => close(app, service, logger) };
}

async function close(app: App, service: Service, logger: Logger): Promise<void> {
  service.draining = true;
  logger.info('closing');
  const closed = app.close();
  // Whoever keeps a request open is not waited for; sockets have their own grace.
  const timer = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS);
  await closed;
  clearTimeout(timer);
  await service.close();
}

/** For HTTP requests under way. */
const CLOSE_MS = 2500;

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
