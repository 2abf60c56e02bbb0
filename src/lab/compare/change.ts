import type { PresetName } from '../../core/locking/presets.js';

/** From the smallest to the largest. */
export const CHANGE_SIZES = ['none', 'small', 'medium', 'large', 'largest'] as const;
export type ChangeSize = (typeof CHANGE_SIZES)[number];

/** The change that a design needs in a VMM like QEMU, relative to QEMU before 10.2. A judgement, not a measurement. */
export const CHANGES: { readonly [preset in PresetName]: readonly [size: ChangeSize, what: string] } = {
  bql: ['none', 'the device is entered under the BQL, reads included'],
  'legacy-race': ['small', 'a mutex on the MMIO path only; timer callback, reset and legacy inputs stay without it'],
  'nested-mutex': ['small', 'a mutex on both paths, each in its natural order'],
  'lockless-timer': [
    'small',
    'an attribute per timer that makes the main loop release the BQL around the callback; reset and legacy inputs must take the mutex first, too',
  ],
  'lockless-irq': [
    'large',
    'IOAPIC, 8259 pair and GSI routing get their own locks, and code behind them that relies on the BQL (the Xen event channel) must be changed; then every device that raises lines gains',
  ],
  'deferred-irq': ['small', 'a list of deferred calls per thread, run once the mutex is released'],
  'drop-reacquire': ['small', 'inside the callback alone, hidden from its caller, which may hold references across it'],
  'lockless-timer+irq': ['largest', 'the changes of lockless-timer and lockless-irq together'],
  'deferred-revalidated': [
    'medium',
    'the list holds sources in place of levels, and the device can report the present level of each',
  ],
  'kick-and-drain': ['large', 'controllers with their own locks, and a mechanism that makes a vCPU run a callback'],
  'try-queue': ['large', 'controllers with their own locks, and a queue beside them that the holder rechecks'],
};

export function changeOf(locking: string): string {
  if (!Object.hasOwn(CHANGES, locking)) return 'not judged here';
  const [size, what] = CHANGES[locking as PresetName];
  return `${size}: ${what}`;
}

/** Negative if the first design needs the smaller change. */
export function compareChange(one: string, other: string): number {
  const rank = (locking: string) => CHANGE_SIZES.indexOf(CHANGES[locking as PresetName][0]);
  return rank(one) - rank(other);
}
