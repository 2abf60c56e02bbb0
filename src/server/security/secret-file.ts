import { type Stats, statSync } from 'node:fs';

const WRITABLE_BY_OTHERS = 0o022;
const READABLE_BY_OTHERS = 0o004;

/** The access that others than its owner have to a file; unknown on Windows. */
export interface Exposure {
  /** By its group or by everybody. */
  readonly writable: boolean;
  /** By everybody. */
  readonly readable: boolean;
}

/** Throws what `stat` throws. */
export function exposureOf(file: string): Exposure {
  const { mode }: Stats = statSync(file);
  const knows = process.platform !== 'win32';
  return {
    writable: knows && (mode & WRITABLE_BY_OTHERS) !== 0,
    readable: knows && (mode & READABLE_BY_OTHERS) !== 0,
  };
}
