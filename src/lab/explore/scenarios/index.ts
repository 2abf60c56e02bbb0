import type { Scenario } from '../scenario.js';
import { armEarlier } from './arm-earlier.js';
import { callbackAcknowledge } from './callback-acknowledge.js';
import { callbackComparator } from './callback-comparator.js';
import { callbackDisable } from './callback-disable.js';
import { comparatorRead } from './comparator-read.js';
import { counterBql } from './counter-bql.js';
import { counterToggle } from './counter-toggle.js';
import { deadlockBreak } from './deadlock-break.js';
import { equalDeadlines } from './equal-deadlines.js';
import { extintPic } from './extint-pic.js';
import { fsbSwitch } from './fsb-switch.js';
import { generationCheck } from './generation-check.js';
import { inlineLane } from './inline-lane.js';
import { inlineOrder } from './inline-order.js';
import { legacyCallback } from './legacy-callback.js';
import { legacyInput } from './legacy-input.js';
import { lineEoi } from './line-eoi.js';
import { maskLineEoi } from './mask-line-eoi.js';
import { mutexBarging } from './mutex-barging.js';
import { mutexTicket } from './mutex-ticket.js';
import { pauseCallback } from './pause-callback.js';
import { queueDrain } from './queue-drain.js';
import { rearmDue } from './rearm-due.js';
import { removeCallback } from './remove-callback.js';
import { replyCallback } from './reply-callback.js';
import { replyOrder } from './reply-order.js';
import { resetCallback } from './reset-callback.js';
import { resetWrite } from './reset-write.js';
import { restoreCallback } from './restore-callback.js';
import { ringFull } from './ring-full.js';
import { saveCallback } from './save-callback.js';
import { saveWrite } from './save-write.js';
import { seqlockLegacy } from './seqlock-legacy.js';
import { sharedLine } from './shared-line.js';
import { stormEoi } from './storm-eoi.js';
import { twoEdges } from './two-edges.js';
import { twoFlushes } from './two-flushes.js';
import { twoVcpus } from './two-vcpus.js';
import { wrapRearm } from './wrap-rearm.js';
import { wrapTicks } from './wrap-ticks.js';
import { xenFlag, xenFlagAssert, xenSourceId } from './xen-filter.js';

/** Every scenario; each is one conflict. */
export const SCENARIOS: readonly Scenario[] = [
  armEarlier,
  callbackAcknowledge,
  callbackComparator,
  callbackDisable,
  comparatorRead,
  counterToggle,
  counterBql,
  deadlockBreak,
  equalDeadlines,
  extintPic,
  fsbSwitch,
  legacyInput,
  lineEoi,
  maskLineEoi,
  mutexBarging,
  mutexTicket,
  removeCallback,
  resetCallback,
  resetWrite,
  sharedLine,
  twoEdges,
  twoFlushes,
  twoVcpus,
  wrapRearm,
  rearmDue,
  replyOrder,
  replyCallback,
  inlineLane,
  inlineOrder,
  ringFull,
  legacyCallback,
  queueDrain,
  restoreCallback,
  saveCallback,
  saveWrite,
  stormEoi,
  generationCheck,
  pauseCallback,
  seqlockLegacy,
  wrapTicks,
  xenFlag,
  xenFlagAssert,
  xenSourceId,
];
