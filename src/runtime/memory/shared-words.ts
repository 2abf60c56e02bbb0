import type { Protection } from '../../core/memory/layout.js';
import { THREADS_AREA } from '../../core/sync/wait-graph.js';
import { eventRingProtection } from '../events/event-ring.js';
import { submissionProtection } from '../rings/submission-ring.js';
import { lockReportProtection } from './lock-reports.js';
import { type SharedMap, type SharedPart, submissionRingStride } from './shared-map.js';

type Rule = (offset: number, map: SharedMap) => Protection | undefined;

const sync: Rule = () => 'sync';
/** Written by one thread while no other reads it: a request and its answer say when. */
const ring: Rule = () => 'ring';
/** Outside the seam's rules: counters and marks of one thread, which others read at any time for reports. */
const reported: Rule = () => undefined;

/** What protects the words of each part of the shared memory, by their offset in it. */
const RULES: { readonly [part in SharedPart]: Rule } = {
  statistics: reported,
  mainLoopBell: sync,
  gatewayBell: sync,
  kicked: sync,
  roundsWanted: sync,
  roundsDone: sync,
  viewBuffers: ring,
  drains: sync,
  vcpuBells: sync,
  loadBell: sync,
  loadKicked: sync,
  submissionRings: (offset, map) => submissionProtection(offset % submissionRingStride(map)),
  lockReports: (offset) => lockReportProtection(offset),
  transfer: ring,
  emitting: reported,
  progress: reported,
  eventRing: (offset) => eventRingProtection(offset),
  eventShares: sync,
  firstMachine: reported,
  lease: sync,
  traceRings: reported,
};

export interface SharedWord {
  readonly part: SharedPart | 'threads';
  readonly offset: number;
  /** Undefined where no rule of the seam holds. */
  readonly protection: Protection | undefined;
}

/** The declaration of a word outside the machines, by its absolute address; undefined if no part has it. */
export function sharedWord(map: SharedMap, address: number): SharedWord | undefined {
  const thread = THREADS_AREA.field(address);
  if (thread) return { part: 'threads', offset: address - THREADS_AREA.start, protection: thread.protection };
  let found: SharedPart | undefined;
  for (const part of Object.keys(RULES) as SharedPart[]) {
    if (map[part] <= address && address < map.words && (found === undefined || map[part] >= map[found])) found = part;
  }
  if (found === undefined) return undefined;
  const offset = address - map[found];
  return { part: found, offset, protection: RULES[found](offset, map) };
}
