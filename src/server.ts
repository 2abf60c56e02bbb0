import type { Configuration } from './config/schema.js';

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** Stops listening, tells all clients, and ends the threads. */
  close(): Promise<void>;
}

export async function startServer(_configuration: Configuration): Promise<RunningServer> {
  throw new Error('this build has no server');
}
