import { bqlReacquire } from './families/bql-reacquire.js';
import { bufferedBytes } from './families/buffered-bytes.js';
import { buildInfo } from './families/build-info.js';
import { checkpointAge } from './families/checkpoint-age.js';
import { checkpointBytes } from './families/checkpoint-bytes.js';
import { checkpointFailures, failingCheckpoints } from './families/checkpoint-failures.js';
import { checkpointRound } from './families/checkpoint-round.js';
import { checkpoints } from './families/checkpoints.js';
import { checkpointsSetAside } from './families/checkpoints-set-aside.js';
import { congestedConnections } from './families/congested-connections.js';
import { congestions } from './families/congestions.js';
import { connections } from './families/connections.js';
import { deadlocks } from './families/deadlocks.js';
import { deferredIrqDelay } from './families/deferred-irq-delay.js';
import { deferredIrqs } from './families/deferred-irqs.js';
import { deferredIrqsStale } from './families/deferred-irqs-stale.js';
import { deviceOverlaps } from './families/device-overlaps.js';
import { droppedEvents } from './families/dropped-events.js';
import { droppedInterrupts } from './families/dropped-interrupts.js';
import { eventLoopLag } from './families/event-loop-lag.js';
import { eventRing } from './families/event-ring.js';
import { gaps } from './families/gaps.js';
import { irqDelivery } from './families/irq-delivery.js';
import { irqs } from './families/irqs.js';
import { irqsCoalesced } from './families/irqs-coalesced.js';
import { limits } from './families/limits.js';
import { lockAcquisitions } from './families/lock-acquisitions.js';
import { lockContended } from './families/lock-contended.js';
import { lockHold } from './families/lock-hold.js';
import { lockLongestWait } from './families/lock-longest-wait.js';
import { lockOrderInversions } from './families/lock-order-inversions.js';
import { lockTryFailures } from './families/lock-try-failures.js';
import { lockWait } from './families/lock-wait.js';
import { lockWaitingThreads } from './families/lock-waiting-threads.js';
import { lockWaitingTime } from './families/lock-waiting-time.js';
import { lockingMachines } from './families/locking-machines.js';
import { machineState } from './families/machine-state.js';
import { machines } from './families/machines.js';
import { missedWakeups } from './families/missed-wakeups.js';
import { mmioAccessTime } from './families/mmio-access-time.js';
import { mmioAccesses } from './families/mmio-accesses.js';
import { nestedWait } from './families/nested-wait.js';
import { pausedSockets } from './families/paused-sockets.js';
import { pendingEvents } from './families/pending-events.js';
import { requestsUnderWay } from './families/requests-under-way.js';
import { scrapeBlock } from './families/scrape-block.js';
import { scrapeBusy } from './families/scrape-busy.js';
import { scrapeDuration } from './families/scrape-duration.js';
import { seriesOmitted } from './families/series-omitted.js';
import { socketPauses } from './families/socket-pauses.js';
import { threadBusy } from './families/thread-busy.js';
import { threadDeaths } from './families/thread-deaths.js';
import { timerLateness } from './families/timer-lateness.js';
import type { Family } from './family.js';

/** Every family, in the order in which they are told: what has most samples comes last. */
export const FAMILIES: readonly Family[] = [
  buildInfo,
  machines,
  machineState,
  lockingMachines,
  connections,
  droppedInterrupts,
  limits,
  requestsUnderWay,
  eventRing,
  pendingEvents,
  bufferedBytes,
  pausedSockets,
  socketPauses,
  congestedConnections,
  congestions,
  gaps,
  droppedEvents,
  missedWakeups,
  threadDeaths,
  checkpoints,
  checkpointFailures,
  checkpointsSetAside,
  failingCheckpoints,
  checkpointBytes,
  checkpointAge,
  checkpointRound,
  threadBusy,
  eventLoopLag,
  scrapeDuration,
  scrapeBlock,
  scrapeBusy,
  mmioAccesses,
  mmioAccessTime,
  timerLateness,
  irqs,
  irqsCoalesced,
  irqDelivery,
  deferredIrqs,
  deferredIrqsStale,
  deferredIrqDelay,
  bqlReacquire,
  nestedWait,
  deadlocks,
  lockOrderInversions,
  deviceOverlaps,
  lockAcquisitions,
  lockContended,
  lockTryFailures,
  lockWaitingThreads,
  lockWaitingTime,
  lockLongestWait,
  lockWait,
  lockHold,
  seriesOmitted,
];
