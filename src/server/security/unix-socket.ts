import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { connect, type Server, type Socket } from 'node:net';
import { SouthbridgeError } from '../../errors.js';

/** Leaves mode 0600: only the user that runs the server, and root, may connect. */
const UMASK = 0o177;

const sockets = new WeakSet<Socket>();

/**
 * Whether a connection came through the server's Unix socket. A missing remote address would not show it: a TCP
 * connection has none either once it has ended.
 */
export function isUnixSocket(socket: Socket): boolean {
  return sockets.has(socket);
}

/**
 * Listens on a Unix socket, and replaces one that a dead server left. The socket is removed when the server closes.
 * Throws `socket-in-use` or `socket-unusable`.
 */
export async function listenOnUnixSocket(server: Server, path: string): Promise<void> {
  server.prependListener('connection', (socket: Socket) => sockets.add(socket));
  if (await bind(server, path)) return;
  await removeDead(path);
  if (!(await bind(server, path))) throw new SouthbridgeError('socket-in-use', { path });
}

/** False if a file has this name. */
function bind(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(unusable(path, error));
    };
    server.once('error', failed);
    // The file is made inside `listen`, and nobody may connect between that and a later chmod.
    const umask = process.umask(UMASK);
    try {
      server.listen(path, () => {
        server.off('error', failed);
        resolve(true);
      });
    } finally {
      process.umask(umask);
    }
  });
}

/** Removes a socket on which no server listens. */
async function removeDead(path: string): Promise<void> {
  try {
    const found = lstatSync(path);
    if (!found.isSocket()) throw new SouthbridgeError('socket-unusable', { path, reason: 'it is not a socket' });
    if (await isAlive(path)) throw new SouthbridgeError('socket-in-use', { path });
    // Another server may have replaced it meanwhile: the file that is moved away shows which one it is.
    const aside = `${path}.${randomBytes(4).toString('hex')}`;
    renameSync(path, aside);
    const moved = lstatSync(aside);
    const isSame = moved.dev === found.dev && moved.ino === found.ino;
    if (!isSame) linkSync(aside, path);
    rmSync(aside);
    if (!isSame) throw new SouthbridgeError('socket-in-use', { path });
  } catch (error) {
    if (error instanceof SouthbridgeError) throw error;
    // It has gone by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable(path, error as Error);
  }
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve(false);
      // Its queue of connections is full.
      else if (error.code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}

function unusable(path: string, { message }: Error): SouthbridgeError {
  return new SouthbridgeError('socket-unusable', { path, reason: message });
}
