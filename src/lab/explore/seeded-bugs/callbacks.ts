import { device } from '../../../core/locking/timer/device.js';
import { reacquire } from '../../../core/locking/timer/reacquire.js';
import { BQL, DEVICE } from '../../../core/sync/lock-names.js';
import { all, replaced, type SeededBug } from './seeded-bug.js';

/** Locks of timer callbacks, and of control work on the same thread. */
export const CALLBACK_BUGS: readonly SeededBug[] = [
  {
    name: 'callback-without-mutex',
    description: 'a timer callback enters the HPET without the mutex',
    locking: 'lockless-timer',
    scenario: 'callback-comparator',
    kind: 'race',
    options: {
      seedBug: () =>
        all(
          replaced(device, 'enter', () => () => {}),
          replaced(device, 'leave', () => () => {}),
        ),
    },
  },
  {
    name: 'callback-leaks-mutex',
    description: 'a timer callback returns without releasing the mutex',
    locking: 'lockless-timer',
    scenario: 'callback-acknowledge',
    kind: 'deadlock',
    options: { seedBug: () => replaced(device, 'leave', () => () => {}) },
  },
  {
    name: 'mutex-under-bql',
    description: 'a timer callback takes the mutex under the BQL, while line changes take the BQL under the mutex',
    locking: 'lockless-timer',
    scenario: 'callback-acknowledge',
    kind: 'deadlock',
    design: 'device/bql+device/inline/ordered',
  },
  {
    name: 'callback-drops-bql',
    description: 'a timer callback releases the BQL and returns without it',
    locking: 'drop-reacquire',
    scenario: 'callback-acknowledge',
    kind: 'assertion',
    options: {
      seedBug: () =>
        replaced(reacquire, 'enter', () => (locks) => {
          locks.release(BQL);
          locks.acquire(DEVICE);
        }),
    },
  },
  {
    name: 'bql-reacquired-by-next-callback',
    description: 'a timer callback returns without the BQL, which only the next callback reacquires',
    locking: 'drop-reacquire',
    scenario: 'two-edges',
    kind: 'assertion',
    options: {
      seedBug: () =>
        replaced(reacquire, 'enter', () => (locks) => {
          const held = locks.holds(BQL);
          if (held) locks.release(BQL);
          locks.acquire(DEVICE);
          if (!held) locks.acquire(BQL);
        }),
    },
  },
  {
    name: 'cancelled-callback-runs',
    description: 'a dequeued callback does not check whether its timer was cancelled meanwhile',
    locking: 'lockless-timer',
    scenario: 'fsb-switch',
    kind: 'linearizability',
    options: { machine: { generationCheck: false } },
  },
  {
    name: 'reset-without-mutex',
    description: 'control work enters the HPET without the mutex',
    locking: 'lockless-timer',
    scenario: 'reset-write',
    kind: 'race',
    design: 'device/device/inline/none',
  },
];
