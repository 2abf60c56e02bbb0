import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that may be a trace. */
export interface Candidate {
  readonly file: string;
  /** Whether it was named, and not found in a folder. */
  readonly named: boolean;
}

/** A path that does not exist or cannot be read. */
export class PathError extends Error {
  override readonly name = 'PathError';
}

/** The files among `paths` as they are, and all `*.jsonl` below the folders among them, by name; each file once. */
export async function findTraces(paths: readonly string[]): Promise<Candidate[]> {
  const found = new Map<string, Candidate>();
  for (const path of paths) {
    const folder = await isFolder(path);
    const files = folder ? await filesBelow(path) : [path];
    for (const file of files) if (!found.has(file)) found.set(file, { file, named: !folder });
  }
  return [...found.values()];
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new PathError(`${path}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : error}`);
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  try {
    for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
      const file = join(entry.parentPath, entry.name);
      // A link may lead to a file; one to a folder is not followed, as it may lead back.
      if (!entry.name.endsWith('.jsonl') || entry.isDirectory()) continue;
      if (entry.isSymbolicLink() && (await isFolder(file))) continue;
      files.push(file);
    }
  } catch (error) {
    if (error instanceof PathError) throw error;
    throw new PathError(`${folder}: cannot be read: ${(error as Error).message}`);
  }
  return files.sort();
}
