import { bqlNotRegained } from './bql-not-regained.js';
import { bqlRegainedLate } from './bql-regained-late.js';
import { callbackWithoutMutex } from './callback-without-mutex.js';
import { cancelledCallback } from './cancelled-callback.js';
import { counterReadLocks } from './counter-read-locks.js';
import { counterReadSpins } from './counter-read-spins.js';
import { deadlineOffByOne } from './deadline-off-by-one.js';
import { duplicateEdgeDropped } from './duplicate-edge-dropped.js';
import { edgeDropped } from './edge-dropped.js';
import { edgeReplayed } from './edge-replayed.js';
import { eoiWithoutTest } from './eoi-without-test.js';
import { eventBeforeComplete } from './event-before-complete.js';
import { filterByFlag } from './filter-by-flag.js';
import { flushBeforeUnlock } from './flush-before-unlock.js';
import { fullRingUntold } from './full-ring-untold.js';
import { gatewayWaits } from './gateway-waits.js';
import { interruptInWriteSection } from './interrupt-in-write-section.js';
import { kickByLoadAndStore } from './kick-by-load-and-store.js';
import { kickTakenTwice } from './kick-taken-twice.js';
import { levelOutsideRouter } from './level-outside-router.js';
import { listWithoutLock } from './list-without-lock.js';
import { lockByLoadAndStore } from './lock-by-load-and-store.js';
import { lostEarlierDeadline } from './lost-earlier-deadline.js';
import { missingWakeUp } from './missing-wake-up.js';
import { mutexKept } from './mutex-kept.js';
import { mutexUnderBql } from './mutex-under-bql.js';
import { pairWithoutLock } from './pair-without-lock.js';
import { pastDeadline } from './past-deadline.js';
import type { Plant } from './plant.js';
import { pulsesLeft } from './pulses-left.js';
import { queueLeft } from './queue-left.js';
import { redirectionWithoutLock } from './redirection-without-lock.js';
import { replyBeforeInterrupt } from './reply-before-interrupt.js';
import { resetWithoutMutex } from './reset-without-mutex.js';
import { timerOffByOne } from './timer-off-by-one.js';
import { unlockByStore } from './unlock-by-store.js';
import { vcpuTakesBql } from './vcpu-takes-bql.js';
import { waiterMarkCleared } from './waiter-mark-cleared.js';
import { writeWithoutSection } from './write-without-section.js';

/** Every known mistake. */
export const PLANTS: readonly Plant[] = [
  timerOffByOne,
  callbackWithoutMutex,
  mutexUnderBql,
  unlockByStore,
  missingWakeUp,
  levelOutsideRouter,
  duplicateEdgeDropped,
  flushBeforeUnlock,
  interruptInWriteSection,
  cancelledCallback,
  eoiWithoutTest,
  pastDeadline,
  edgeReplayed,
  replyBeforeInterrupt,
  gatewayWaits,
  queueLeft,
  eventBeforeComplete,
  listWithoutLock,
  resetWithoutMutex,
  lostEarlierDeadline,
  // Further ones, so that each oracle and each scenario has one that is its own
  edgeDropped,
  kickByLoadAndStore,
  lockByLoadAndStore,
  mutexKept,
  bqlNotRegained,
  bqlRegainedLate,
  fullRingUntold,
  counterReadLocks,
  counterReadSpins,
  deadlineOffByOne,
  filterByFlag,
  pairWithoutLock,
  pulsesLeft,
  redirectionWithoutLock,
  vcpuTakesBql,
  writeWithoutSection,
  waiterMarkCleared,
  kickTakenTwice,
];

/** Undefined if there is no such mistake. */
export function plantNamed(name: string): Plant | undefined {
  return PLANTS.find((plant) => plant.name === name);
}
