import { inline } from '../../../core/locking/irq/inline.js';
import { lockless } from '../../../core/locking/irq/lockless.js';
import { revalidated } from '../../../core/locking/irq/revalidated.js';
import { tryQueue } from '../../../core/locking/irq/try-queue.js';
import { LineDecisions } from '../../../core/locking/line-decisions.js';
import { MmioPath } from '../../../core/machine/mmio-path.js';
import { BQL, ROUTER } from '../../../core/sync/lock-names.js';
import { all, replaced, type SeededBug } from './seeded-bug.js';

/** Changes of GSI lines: inline, deferred, queued and lockless. */
export const LINE_BUGS: readonly SeededBug[] = [
  {
    name: 'line-source-off-by-one',
    description: 'a timer drives the line source of the next timer',
    locking: 'lockless-timer',
    scenario: 'callback-acknowledge',
    kind: 'linearizability',
    options: {
      seedBug: () =>
        replaced(
          inline,
          'driveLine',
          (original) => (target, line, source, level) => original(target, line, source + 1, level),
        ),
    },
  },
  {
    name: 'line-level-without-router-lock',
    description: 'the level of a line is computed without the router’s lock',
    locking: 'lockless-timer+irq',
    scenario: 'shared-line',
    kind: 'race',
    options: {
      seedBug: () =>
        replaced(lockless, 'driveLine', () => (target, line, source, level) => target.driveLine(line, source, level)),
    },
  },
  {
    name: 'irq-takes-bql',
    description: 'lockless interrupt controllers are entered under the BQL',
    locking: 'lockless-irq',
    scenario: 'mask-line-eoi',
    kind: 'assertion',
    options: {
      seedBug: () =>
        all(
          replaced(lockless, 'enter', () => (target) => target.locks.guard(BQL)),
          replaced(lockless, 'leave', () => (target, _, entered) => target.locks.unguard(BQL, entered)),
        ),
    },
  },
  {
    name: 'flush-under-mutex',
    description: 'a vCPU applies deferred line changes before it releases the mutex',
    locking: 'deferred-irq',
    scenario: 'callback-acknowledge',
    kind: 'deadlock',
    options: {
      seedBug: () =>
        replaced(
          MmioPath.prototype,
          'leaveHpet',
          () =>
            function (this: MmioPath) {
              const { chipset } = this;
              chipset.leaveDevice();
              chipset.design.irq.end(chipset);
              chipset.design.mmio.leave(chipset.locks);
            },
        ),
    },
  },
  {
    name: 'deferred-edge-dropped',
    description: 'edges are never added to the deferred list',
    locking: 'deferred-revalidated',
    scenario: 'callback-disable',
    kind: 'linearizability',
    options: { seedBug: () => replaced(revalidated, 'pulseLine', () => () => {}) },
  },
  {
    name: 'deferred-edge-overwritten',
    description: 'a deferred edge replaces a pending edge of the same line instead of adding to it',
    locking: 'deferred-revalidated',
    scenario: 'two-edges',
    kind: 'linearizability',
    options: {
      seedBug: () =>
        replaced(
          LineDecisions.prototype,
          'addPulse',
          (original) =>
            function (this: LineDecisions, line) {
              this.takePulses(line);
              original.call(this, line);
            },
        ),
    },
  },
  {
    name: 'flush-skips-edges',
    description: 'applying the deferred list skips its counted edges',
    locking: 'deferred-revalidated',
    scenario: 'callback-disable',
    kind: 'linearizability',
    options: { seedBug: () => replaced(LineDecisions.prototype, 'takePulses', () => () => 0) },
  },
  {
    name: 'queue-not-rechecked',
    description: 'the holder of the router’s lock does not recheck the queue after its unlock',
    locking: 'try-queue',
    scenario: 'shared-line',
    kind: 'linearizability',
    options: {
      seedBug: () =>
        all(
          replaced(tryQueue, 'leave', () => (target, controller, entered) => target.locks.unguard(controller, entered)),
          replaced(tryQueue, 'driveLine', () => (target, line, source, level) => {
            if (!target.locks.tryAcquire(ROUTER)) {
              target.lineQueue.push(line, source, level);
              return;
            }
            target.driveLine(line, source, level);
            target.locks.release(ROUTER);
          }),
        ),
    },
  },
];
