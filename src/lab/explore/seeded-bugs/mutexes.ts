import { Pic } from '../../../core/machine/pic.js';
import { IOAPIC, TIMERS } from '../../../core/sync/lock-names.js';
import { Locks } from '../../../core/sync/locks.js';
import { onLockWords } from './lock-words.js';
import { replaced, type SeededBug } from './seeded-bug.js';

/** The mutex itself, and data whose lock is not taken. */
export const MUTEX_BUGS: readonly SeededBug[] = [
  {
    name: 'unlock-ignores-waiters',
    description: 'the unlock stores 0 and never checks for waiters',
    locking: 'lockless-timer',
    scenario: 'mutex-barging',
    kind: 'deadlock',
    options: onLockWords(() => true, {
      exchange(address, value) {
        this.store(address, value);
        return 0;
      },
    }),
  },
  {
    name: 'unlock-without-wakeup',
    description: 'the unlock sees a waiter and wakes none',
    locking: 'lockless-timer',
    scenario: 'mutex-barging',
    kind: 'deadlock',
    options: onLockWords(() => true, { notify() {} }),
  },
  {
    name: 'lock-by-load-and-store',
    description: 'the lock is acquired by a load and a store instead of a compare-exchange',
    locking: 'lockless-timer',
    scenario: 'mutex-barging',
    kind: 'race',
    options: onLockWords(() => true, {
      compareExchange(address, expected, value) {
        const old = this.load(address);
        if (old === expected) this.store(address, value);
        return old;
      },
    }),
  },
  {
    name: 'timer-list-without-lock',
    description: 'the timer list is walked without its lock',
    locking: 'lockless-timer',
    scenario: 'equal-deadlines',
    kind: 'race',
    options: onLockWords((lock) => lock === TIMERS, { compareExchange: () => 0, exchange: () => 0 }),
  },
  {
    name: 'ioapic-without-lock',
    description: 'redirection entries are read and written without the IOAPIC’s lock',
    locking: 'lockless-irq',
    scenario: 'mask-line-eoi',
    kind: 'race',
    options: onLockWords((lock) => lock === IOAPIC, { compareExchange: () => 0, exchange: () => 0 }),
  },
  {
    name: 'pic-acknowledge-without-lock',
    description: 'an acknowledge cycle enters the 8259 pair without its lock',
    locking: 'lockless-irq',
    scenario: 'extint-pic',
    kind: 'race',
    options: {
      seedBug: () =>
        replaced(
          Pic.prototype,
          'acknowledge',
          () =>
            function (this: Pic) {
              return this.pair.acknowledge();
            },
        ),
    },
  },
  {
    name: 'gateway-blocks-on-lock',
    description: 'inline execution on the gateway acquires the locks of an access instead of trying them',
    locking: 'lockless-timer',
    scenario: 'inline-lane',
    kind: 'assertion',
    options: {
      seedBug: () =>
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
  },
];
