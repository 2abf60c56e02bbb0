import { Locks } from '../../../core/sync/locks.js';
import { type Plant, replaced } from './plant.js';

export const gatewayWaits: Plant = {
  name: 'gateway-waits',
  mistake: 'the gateway acquires the locks of an access that it carries out, where it should only try them',
  locking: 'lockless-timer',
  scenario: 'inline-lane',
  kind: 'assertion',
  options: {
    plant: () =>
      replaced(
        Locks.prototype,
        'tryAcquire',
        () =>
          function (this: Locks, lock) {
            this.acquire(lock);
            return true;
          },
      ),
  },
};
