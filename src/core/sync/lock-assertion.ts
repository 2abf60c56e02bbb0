import { CALL_SITES } from './call-sites.js';
import { LOCK_NAMES } from './lock-names.js';

/** Code relied on a lock that its thread does not hold; the path that led there ends. */
export class LockAssertionError extends Error {
  override readonly name = 'LockAssertionError';
  readonly code = 'lock-not-held';

  constructor(
    readonly lock: number,
    /** The part of the path, see `call-sites.ts`. */
    readonly site: number,
  ) {
    super(`${LOCK_NAMES[lock]} is not held (${CALL_SITES[site]})`);
  }
}
