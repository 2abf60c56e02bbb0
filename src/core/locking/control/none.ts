import type { ControlAxis } from '../axes.js';

/**
 * Under the big lock only, as QEMU does: a race wherever vCPUs enter without it.
 *
 *     main loop ── BQL ── reset, legacy inputs, …
 */
export const none: ControlAxis = {
  name: 'none',
  takesMutex: false,
  followsOrder: false,
  enter() {},
  leave() {},
};
