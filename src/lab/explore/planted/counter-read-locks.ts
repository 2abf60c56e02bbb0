import { Hpet } from '../../../core/devices/hpet/hpet.js';
import { type Plant, replaced } from './plant.js';

export const counterReadLocks: Plant = {
  name: 'counter-read-locks',
  mistake: 'a read of the main counter takes the mutex',
  locking: 'lockless-timer',
  scenario: 'counter-toggle',
  kind: 'assertion',
  options: { plant: () => replaced(Hpet, 'isMainCounter', () => () => false) },
};
