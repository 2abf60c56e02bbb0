import type { PresetName } from '../../core/locking/presets.js';

/** What a VMM like QEMU would have to change for a design, seen from QEMU before 10.2. Judged, not measured. */
export const SIZE_OF_CHANGE: { readonly [preset in PresetName]: string } = {
  bql: 'none: the device is entered under the BQL, reads included',
  'legacy-race': 'a mutex on the MMIO path only; timer callback, reset and legacy inputs are left out',
  'nested-mutex': 'a mutex on both paths, in the order in which each comes to it',
  'lockless-timer':
    'small: an attribute per timer, by which the main loop lets go of the BQL around the callback; reset and legacy inputs must take the mutex first, too',
  'lockless-irq':
    'large: IOAPIC, 8259 pair and GSI routing get locks of their own, and whoever relies on the BQL behind them (the Xen event channel) has to be taken apart; then every device that raises lines gains',
  'deferred-irq': 'small: a list of deferred calls per thread, run once the mutex is released',
  'drop-reacquire': 'small: inside the callback alone, hidden from its caller, which may hold references across it',
  'lockless-timer+irq': 'largest: the changes of lockless-timer and lockless-irq together',
  'deferred-revalidated':
    'medium: the list holds sources in place of levels, and the device can tell the present level of each',
  'kick-and-drain': 'large: controllers with locks of their own, and a way to make a vCPU run a callback',
  'try-queue': 'large: controllers with locks of their own, and a queue beside them that the holder looks at again',
};
