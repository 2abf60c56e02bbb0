import { readFileSync } from 'node:fs';

/** A file's text; undefined if there is none that can be read. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
