import type { TimerAxis } from '../axes.js';

/**
 * Under the big lock only, which the main loop holds.
 *
 *     main loop ── BQL ── callback
 */
export const bql: TimerAxis = {
  name: 'bql',
  lockless: false,
  kicks: false,
  keepsBql: true,
  takesBqlUnderMutex: false,
  enter() {},
  leave() {},
};
