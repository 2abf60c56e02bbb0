import { existsSync } from 'node:fs';
import { access, copyFile, link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SouthbridgeError } from '../../errors.js';
import {
  type Checkpoint,
  DamagedCheckpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  requireReadable,
} from './checkpoint.js';
import { FolderLock } from './folder-lock.js';
import type { CheckpointStorage, Found, SetAside } from './storage.js';

/** Endings behind a machine's name; no name with one of them is that of another file, as each ending tells them apart. */
const CURRENT = '.json';
const PREVIOUS = '.json.previous';
const NEW = '.json.new';
const DELETED = '.deleted';
/** Tells that the server before ended in order: what lies here is the last that anyone saw of the machines. */
const SHUTDOWN = 'shutdown';

/** Only for the user that runs the server. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const PROBE_BYTES = 65_536;

/** The calls that a disk can refuse, so that a test can refuse them. */
export interface FileLayer {
  /** Writes a whole file and forces it to the disk. */
  writeThrough(file: string, contents: Buffer): Promise<void>;
  /** Forces the names in a folder to the disk. */
  flush(folder: string): Promise<void>;
}

export const FILES: FileLayer = {
  async writeThrough(file, contents) {
    const handle = await open(file, 'w', FILE_MODE);
    try {
      await handle.writeFile(contents);
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  async flush(folder) {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** Errors that say nothing about a file: the process or the system has too little of something. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR']);

/**
 * A folder of checkpoints: per machine the last one, and the one before it. Each is written beside the last, forced to
 * the disk and then renamed, so that at every moment there is a whole one. `flush` forces the names to the disk.
 */
export class StateFolder implements CheckpointStorage {
  #lock: FolderLock;
  #holding: Promise<boolean> | undefined;

  private constructor(
    readonly path: string,
    lock: FolderLock,
    readonly pathLock: FolderLock | undefined,
    readonly layer: FileLayer,
  ) {
    this.#lock = lock;
  }

  /** Makes the folder if it does not exist, and keeps others out. Throws `state-dir-in-use`, or what the system says. */
  static async open(path: string, layer: FileLayer = FILES): Promise<StateFolder> {
    await mkdir(path, { recursive: true, mode: FOLDER_MODE });
    const pathLock = await FolderLock.takePath(path);
    let lock: FolderLock | undefined;
    try {
      lock = await FolderLock.take(path);
      for (const file of await readdir(path)) if (file.endsWith(NEW)) await rm(join(path, file), { recursive: true });
      return new StateFolder(path, lock, pathLock, layer);
    } catch (error) {
      await lock?.release();
      await pathLock?.remove();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#lock.release();
    await this.pathLock?.remove();
  }

  /**
   * Takes the folder again if it, or its lock, was removed or replaced since; false if it was, and no file of this server
   * is left. Throws if another server has taken it, or what the system says.
   */
  hold(): Promise<boolean> {
    this.#holding ??= this.#takeAgain().finally(() => {
      this.#holding = undefined;
    });
    return this.#holding;
  }

  async #takeAgain(): Promise<boolean> {
    if (await this.#lock.isInPlace()) return true;
    await mkdir(this.path, { recursive: true, mode: FOLDER_MODE });
    try {
      const lost = this.#lock;
      this.#lock = await FolderLock.take(this.path);
      await lost.release();
    } catch (error) {
      if (!(error instanceof SouthbridgeError)) throw error;
      throw new Error(`it was removed, and another server (${error.details.holder}) has taken it since`);
    }
    return false;
  }

  #at(file: string): string {
    return join(this.path, file);
  }

  /** Names of the machines of which there is a checkpoint, in order, and of those that were deleted. */
  async names(): Promise<{ readonly kept: readonly string[]; readonly deleted: readonly string[] }> {
    const files = await readdir(this.path);
    const named = (ending: string) =>
      files.filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length));
    return { kept: [...new Set([...named(CURRENT), ...named(PREVIOUS)])].sort(), deleted: named(DELETED) };
  }

  /** No other server has this folder. */
  async reserve(): Promise<boolean> {
    return true;
  }

  async read(name: string): Promise<Found> {
    const damaged: SetAside[] = [];
    for (const ending of [CURRENT, PREVIOUS]) {
      const file = this.#at(name + ending);
      try {
        const checkpoint = await this.#readFile(name, file);
        if (checkpoint) return { checkpoint, damaged };
      } catch (error) {
        if (!(error instanceof DamagedCheckpoint)) throw error;
        const aside = await this.setAside(name, 'damaged', ending);
        damaged.push({ machine: name, file, reason: error.message, aside });
      }
    }
    return { checkpoint: undefined, damaged };
  }

  /** Undefined if there is no such file. Throws DamagedCheckpoint, or `checkpoint-version`. */
  async #readFile(name: string, file: string): Promise<Checkpoint | undefined> {
    const contents = await readIfThere(file).catch((error: NodeJS.ErrnoException) => {
      // A file that the system does not give out is one machine's; a shortage would set all aside.
      throw SHORTAGES.has(error.code ?? '') ? error : new DamagedCheckpoint(`it cannot be read: ${error.message}`);
    });
    if (!contents) return undefined;
    const checkpoint = decodeCheckpoint(contents, file);
    if (checkpoint.config.name === name) return checkpoint;
    throw new DamagedCheckpoint(`it is of a machine ${checkpoint.config.name}`);
  }

  async write(name: string, checkpoint: Checkpoint): Promise<number> {
    const [current, previous, next] = [CURRENT, PREVIOUS, NEW].map((ending) => this.#at(name + ending));
    const contents = encodeCheckpoint(checkpoint);
    requireReadable(contents, current, name);
    try {
      await this.layer.writeThrough(next, contents);
      await keepAs(current, previous);
      await rename(next, current);
    } catch (error) {
      await rm(next, { force: true }).catch(() => {});
      throw error;
    }
    return contents.length;
  }

  async commit(name: string, checkpoint: Checkpoint): Promise<number> {
    const bytes = await this.write(name, checkpoint);
    try {
      await this.flush();
    } catch (error) {
      await this.revert(name).catch(() => {});
      throw error;
    }
    // A checkpoint outranks the mark of a deletion: one that stays does no harm.
    await this.forgetDeletion(name).catch(() => {});
    return bytes;
  }

  async revert(name: string): Promise<void> {
    const current = this.#at(name + CURRENT);
    if (!(await renameIfThere(this.#at(name + PREVIOUS), current))) await rm(current, { force: true });
    await this.flush();
  }

  /** One rename decides, which needs no space. */
  async remove(name: string, tombstone: boolean): Promise<void> {
    const [current, previous, deleted] = [CURRENT, PREVIOUS, DELETED].map((ending) => this.#at(name + ending));
    const last = (await isThere(current)) ? current : previous;
    if (last === current) await rm(previous, { force: true });
    const moved = await renameIfThere(last, deleted);
    const marks = !moved && tombstone && !(await isThere(deleted));
    try {
      if (marks) await this.layer.writeThrough(deleted, Buffer.alloc(0));
      await this.flush();
    } catch (error) {
      if (moved) await rename(deleted, last).catch(() => {});
      else if (marks) await rm(deleted, { force: true }).catch(() => {});
      throw error;
    }
    if (!tombstone) await this.forgetDeletion(name).catch(() => {});
  }

  forgetDeletion(name: string): Promise<void> {
    return rm(this.#at(name + DELETED), { force: true });
  }

  async setAside(name: string, why: string, ending = CURRENT): Promise<string> {
    const file = this.#at(name + ending);
    const base = `${file}.${why}-${new Date().toISOString().replaceAll(':', '')}`;
    // The wall clock may have gone back to a moment at which a file was set aside before.
    let aside = base;
    for (let number = 2; existsSync(aside); number++) aside = `${base}-${number}`;
    await rename(file, aside);
    return aside;
  }

  async probe(): Promise<void> {
    const file = this.#at(`.probe${NEW}`);
    try {
      await this.layer.writeThrough(file, Buffer.alloc(PROBE_BYTES));
    } finally {
      await rm(file, { force: true }).catch(() => {});
    }
  }

  /** Forces what was renamed and removed to the disk. */
  flush(): Promise<void> {
    return this.layer.flush(this.path);
  }

  async takeShutdown(): Promise<boolean> {
    const inOrder = (await readIfThere(this.#at(SHUTDOWN))) !== undefined;
    await rm(this.#at(SHUTDOWN), { force: true });
    await this.flush();
    return inOrder;
  }

  async markShutdown(): Promise<void> {
    await this.layer.writeThrough(this.#at(SHUTDOWN), Buffer.from(`${new Date().toISOString()}\n`));
    await this.flush();
  }
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Renames a file; false if it is not there. */
async function renameIfThere(file: string, name: string): Promise<boolean> {
  try {
    await rename(file, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Gives a file, if it is there, a second name; where the file system has no such, a copy. */
async function keepAs(file: string, name: string): Promise<void> {
  await rm(name, { force: true });
  try {
    await link(file, name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
    await copyFile(file, name);
  }
}
