import { IOAPIC } from '../../../core/sync/lock-names.js';
import type { Plant } from './plant.js';
import { plantedInLocks } from './planted-locks.js';

export const redirectionWithoutLock: Plant = {
  name: 'redirection-without-lock',
  mistake: 'the redirection entries are read and written without the IOAPIC’s lock',
  locking: 'lockless-irq',
  scenario: 'mask-line-eoi',
  kind: 'race',
  options: plantedInLocks((lock) => lock === IOAPIC, { compareExchange: () => 0, exchange: () => 0 }),
};
