import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Checkpoint,
  DamagedCheckpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  requireReadable,
} from './checkpoint.js';
import { FolderLock } from './folder-lock.js';

/** Endings behind a machine's name; no name with one of them is that of another file, as each ending tells them apart. */
const CURRENT = '.json';
const PREVIOUS = '.json.previous';
const NEW = '.json.new';
const DELETED = '.deleted';
/** Tells that the server before ended in order: what lies here is the last that anyone saw of the machines. */
const SHUTDOWN = 'shutdown';

/** Only for whoever runs the server. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Errors that say nothing about a file: the process or the system has too little of something. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR']);

/** A file that could not be read, or not be used, and its new name. */
export interface SetAside {
  readonly machine: string;
  readonly file: string;
  readonly reason: string;
  readonly aside: string;
}

/** The last checkpoint of a machine that can be restored, if there is one, and the files that were set aside. */
export interface Found {
  readonly checkpoint: Checkpoint | undefined;
  readonly damaged: readonly SetAside[];
}

/**
 * A folder of checkpoints: per machine the last one, and the one before it. Each is written beside the last, forced to
 * the disk and then renamed, so that at every moment there is a whole one. `flush` forces the names to the disk.
 */
export class StateFolder {
  private constructor(
    readonly path: string,
    readonly lock: FolderLock,
  ) {}

  /** Makes the folder if it does not exist, and keeps others out. Throws `state-dir-in-use`, or what the system says. */
  static async open(path: string): Promise<StateFolder> {
    await mkdir(path, { recursive: true, mode: FOLDER_MODE });
    const folder = new StateFolder(path, await FolderLock.take(path));
    for (const file of await readdir(path)) if (file.endsWith(NEW)) await rm(folder.#at(file), { recursive: true });
    return folder;
  }

  close(): Promise<void> {
    return this.lock.release();
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

  /** The last checkpoint that can be read. All others are set aside. Throws `checkpoint-version`. */
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

  /**
   * Writes a checkpoint; the one before it is kept until the next. Returns the bytes written. Throws
   * `checkpoint-unreadable`, before it touches a file, if the next start could not read it.
   */
  async write(name: string, checkpoint: Checkpoint): Promise<number> {
    const [current, previous, next] = [CURRENT, PREVIOUS, NEW].map((ending) => this.#at(name + ending));
    const contents = encodeCheckpoint(checkpoint);
    requireReadable(contents, current, name);
    try {
      await writeThrough(next, contents);
      await keepAs(current, previous);
      await rename(next, current);
      await rm(this.#at(name + DELETED), { force: true });
    } catch (error) {
      await rm(next, { force: true }).catch(() => {});
      throw error;
    }
    return contents.length;
  }

  /** Forgets a machine that was deleted; `tombstone`, if its name alone must tell that later. */
  async remove(name: string, tombstone: boolean): Promise<void> {
    if (tombstone) await writeThrough(this.#at(name + DELETED), Buffer.alloc(0));
    for (const ending of [CURRENT, PREVIOUS]) await rm(this.#at(name + ending), { force: true });
    await this.flush();
  }

  /** Forgets that a machine was deleted. */
  forgetDeletion(name: string): Promise<void> {
    return rm(this.#at(name + DELETED), { force: true });
  }

  /** Takes a machine's last checkpoint out of the way; returns its new name. */
  async setAside(name: string, why: string, ending = CURRENT): Promise<string> {
    const file = this.#at(name + ending);
    const base = `${file}.${why}-${new Date().toISOString().replaceAll(':', '')}`;
    // The wall clock may have gone back to a moment at which a file was set aside before.
    let aside = base;
    for (let number = 2; existsSync(aside); number++) aside = `${base}-${number}`;
    await rename(file, aside);
    return aside;
  }

  /** Forces what was renamed and removed to the disk. */
  async flush(): Promise<void> {
    const folder = await open(this.path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  /** Whether the server before ended in order; from now on this one has not. */
  async takeShutdown(): Promise<boolean> {
    const inOrder = (await readIfThere(this.#at(SHUTDOWN))) !== undefined;
    await rm(this.#at(SHUTDOWN), { force: true });
    await this.flush();
    return inOrder;
  }

  async markShutdown(): Promise<void> {
    await writeThrough(this.#at(SHUTDOWN), Buffer.from(`${new Date().toISOString()}\n`));
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

async function writeThrough(file: string, contents: Buffer): Promise<void> {
  const handle = await open(file, 'w', FILE_MODE);
  try {
    await handle.writeFile(contents);
    await handle.sync();
  } finally {
    await handle.close();
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
