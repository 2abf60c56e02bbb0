import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { SouthbridgeError } from '../../errors.js';

const FILE = 'lock';

/**
 * Keeps every other server out of a folder. The system gives the lock back when the process ends, however it ends: a
 * file with a process number would have to be judged, and in containers all servers have the same one.
 */
export class FolderLock {
  private constructor(readonly handle: FileHandle) {}

  /** Throws `state-dir-in-use`. */
  static async take(folder: string): Promise<FolderLock> {
    // Native code, which only those who keep state need.
    const { tryLock } = await import('fs-native-extensions');
    const handle = await open(join(folder, FILE), 'a+', 0o600);
    try {
      if (!tryLock(handle.fd)) {
        const holder = (await handle.readFile('utf8')).trim() || 'unknown';
        throw new SouthbridgeError('state-dir-in-use', { folder, holder });
      }
      await handle.truncate();
      await handle.write(`process ${process.pid}\n`);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new FolderLock(handle);
  }

  /** Who holds the lock of a folder, as `process N`; undefined if nobody does. Throws if this user may not see it. */
  static async holder(folder: string): Promise<string | undefined> {
    const { tryLock } = await import('fs-native-extensions');
    const handle = await open(join(folder, FILE), 'r+').catch((error) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (!handle) return undefined;
    try {
      return tryLock(handle.fd) ? undefined : (await handle.readFile('utf8')).trim() || 'unknown';
    } finally {
      await handle.close();
    }
  }

  release(): Promise<void> {
    return this.handle.close();
  }
}
