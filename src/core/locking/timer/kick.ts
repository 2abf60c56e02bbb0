import type { TimerAxis } from '../axes.js';

/**
 * Xen: the callback takes no lock of the device. It marks the timer and kicks a vCPU thread, which enters later, as an
 * MMIO access would.
 *
 *     main loop ── BQL ── mark, kick
 *                           ⋮
 *     vCPU ── (as path B) ── callback
 */
export const kick: TimerAxis = {
  name: 'kick',
  lockless: false,
  kicks: true,
  keepsBql: false,
  takesBqlUnderMutex: false,
  enter() {},
  leave() {},
};
