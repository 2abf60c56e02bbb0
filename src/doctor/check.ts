import { readFileSync } from 'node:fs';

export type Status = 'ok' | 'warn' | 'fail';

/** Result of one check of the server's environment. */
export interface Check {
  readonly name: string;
  readonly status: Status;
  /** The state that the check found. */
  readonly found: string;
  /** The next step, unless the status is ok. */
  readonly advice?: string;
}

export function ok(name: string, found: string): Check {
  return { name, status: 'ok', found };
}

export function warn(name: string, found: string, advice: string): Check {
  return { name, status: 'warn', found, advice };
}

export function fail(name: string, found: string, advice: string): Check {
  return { name, status: 'fail', found, advice };
}

/** The text of a file; undefined if the file cannot be read. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
