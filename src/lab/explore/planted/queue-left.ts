import { tryQueue } from '../../../core/locking/irq/try-queue.js';
import { ROUTER } from '../../../core/sync/lock-names.js';
import { type Plant, replaced } from './plant.js';

export const queueLeft: Plant = {
  name: 'queue-left',
  mistake: 'the holder of the router does not look at the queue again after its unlock',
  locking: 'try-queue',
  scenario: 'shared-line',
  kind: 'meaning',
  options: {
    plant() {
      const leave = replaced(
        tryQueue,
        'leave',
        () => (target, controller, entered) => target.locks.unguard(controller, entered),
      );
      const driveLine = replaced(tryQueue, 'driveLine', () => (target, line, source, level) => {
        if (!target.locks.tryAcquire(ROUTER)) {
          target.lineQueue.push(line, source, level);
          return;
        }
        target.driveLine(line, source, level);
        target.locks.release(ROUTER);
      });
      return () => {
        leave();
        driveLine();
      };
    },
  },
};
