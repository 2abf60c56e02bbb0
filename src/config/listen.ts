import { SouthbridgeError } from '../errors.js';
import type { Configuration } from './schema.js';

/** Longest path of a Unix socket in bytes: `sun_path` without its final zero. */
const LONGEST_PATH = process.platform === 'linux' ? 107 : 103;

export interface Addresses {
  /** Whether the server listens on `host` and `port`. */
  readonly tcp: boolean;
  /** Path of the Unix socket, if there is one. */
  readonly unix: string | undefined;
}

/** The addresses that a valid `listen` key names. */
export function addressesOf({ listen }: Pick<Configuration, 'listen'>): Addresses {
  const at = listen.indexOf('unix:');
  return { tcp: listen.startsWith('tcp'), unix: at < 0 ? undefined : listen.slice(at + 'unix:'.length) };
}

/** Refuses a path that does not fit into the address of a socket. */
export function tooLongPaths(configuration: Configuration): SouthbridgeError[] {
  const { unix } = addressesOf(configuration);
  if (unix === undefined || Buffer.byteLength(unix) <= LONGEST_PATH) return [];
  const expected = `the path of a Unix socket with at most ${LONGEST_PATH} bytes`;
  const value = configuration.listen;
  return [new SouthbridgeError('config-not-allowed', { key: 'listen', source: 'configuration', value, expected })];
}
