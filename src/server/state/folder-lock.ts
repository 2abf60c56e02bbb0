import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SouthbridgeError } from '../../errors.js';

const FILE = 'lock';
const { O_CREAT, O_NOFOLLOW, O_RDWR } = constants;

/**
 * Excludes every other server from a folder. The system releases the lock when the process ends, however it ends: a file
 * with a process number would have to be judged, and in containers all servers have the same one.
 */
export class FolderLock {
  private constructor(
    readonly file: string,
    readonly handle: FileHandle,
  ) {}

  /** Throws `state-dir-in-use`. */
  static async take(folder: string): Promise<FolderLock> {
    const file = join(folder, FILE);
    return FolderLock.#lock(folder, file, await open(file, 'a+', 0o600));
  }

  /**
   * A lock of the folder's path, which lies outside the folder: it excludes others even after the folder was removed and
   * made again. It holds among servers of one user with one folder for temporary files; undefined if there is no such
   * file. Throws `state-dir-in-use`.
   */
  static async takePath(folder: string): Promise<FolderLock | undefined> {
    const user = process.getuid?.() ?? 0;
    const digest = createHash('sha256').update(await realpath(folder));
    const file = join(tmpdir(), `southbridge-${user}-${digest.digest('hex').slice(0, 32)}.lock`);
    const handle = await open(file, O_RDWR | O_CREAT | (O_NOFOLLOW ?? 0), 0o600).catch(() => undefined);
    if (!handle) return undefined;
    if ((await handle.stat()).uid === user) return FolderLock.#lock(folder, file, handle);
    // Another user made it, so as to be in the way.
    await handle.close();
    return undefined;
  }

  static async #lock(folder: string, file: string, handle: FileHandle): Promise<FolderLock> {
    // Native code, which only servers with a `stateDir` need.
    const { tryLock } = await import('fs-native-extensions');
    try {
      if (!tryLock(handle.fd))
        throw new SouthbridgeError('state-dir-in-use', { folder, holder: await holderIn(handle) });
      await handle.truncate();
      await handle.write(`process ${process.pid}\n`, 0);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new FolderLock(file, handle);
  }

  /** The holder of the lock of a folder, as `process N`; undefined if it is free. Throws if this user may not see it. */
  static async holder(folder: string): Promise<string | undefined> {
    const { tryLock } = await import('fs-native-extensions');
    const handle = await open(join(folder, FILE), 'r+').catch((error) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (!handle) return undefined;
    try {
      return tryLock(handle.fd) ? undefined : await holderIn(handle);
    } finally {
      await handle.close();
    }
  }

  /** Whether the file that is locked still has its name: otherwise another server may lock the one that has it now. */
  async isInPlace(): Promise<boolean> {
    const held = await this.handle.stat();
    try {
      const { dev, ino } = await stat(this.file);
      return dev === held.dev && ino === held.ino;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  release(): Promise<void> {
    return this.handle.close();
  }

  /** `release`, after which the file is gone. */
  async remove(): Promise<void> {
    if (await this.isInPlace().catch(() => false)) await rm(this.file, { force: true }).catch(() => {});
    await this.release();
  }
}

async function holderIn(handle: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
  return buffer.toString('utf8', 0, bytesRead).trim() || 'unknown';
}
