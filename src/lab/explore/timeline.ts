import { LOCK_NAMES } from '../../core/sync/lock-names.js';
import * as H from './history.js';
import type { Names } from './names.js';
import type { SharedState } from './shared-state.js';
import { sourceLine } from './source-line.js';
import { BLOCKED, TIMED_OUT, WAS_WOKEN } from './system.js';

/** One action of a thread in a replayed schedule. */
export interface TimelineEntry {
  /** Index of the thread. */
  readonly thread: number;
  readonly action: string;
  /** The word that it accesses. */
  readonly word: string;
  readonly value: number;
  /** The thread's locks afterwards. */
  readonly holds: readonly string[];
  /** The three innermost callers outside locks and memory, as `file:line function`. */
  readonly source: readonly string[];
  /** The effect on a lock, if the word is one. */
  readonly lock?: 'takes' | 'releases' | 'waits for' | 'finds taken';
  readonly plain: boolean;
  /** A plain access that was a scheduling point, because the word was found racy. */
  readonly racy?: boolean;
}

/** Describes an action just performed. */
export function describeAction(
  names: Names,
  state: SharedState,
  thread: number,
  threadId: number,
  node: H.HistoryNode,
  value: number,
): TimelineEntry {
  const lock = node.address < 0 ? -1 : names.lockAt(node.address);
  return {
    thread,
    action: actionOf(node, value),
    word: node.address < 0 ? '' : names.word(node.address),
    value: node.kind === H.SET || node.kind === H.SET_TIME || node.kind === H.STORE ? node.a : value,
    holds: names.locksHeldBy(state, threadId),
    source: callersOf(node.site ?? []),
    lock: lock >= 0 && lock < LOCK_NAMES.length ? lockAction(node, value) : undefined,
    plain: node.kind < H.LOAD,
  };
}

function callersOf(stack: readonly string[]): string[] {
  const callers: string[] = [];
  for (const line of stack) {
    const source = sourceLine(line);
    if (!/^src\/core\/(sync|memory)\//.test(source)) callers.push(source);
    if (callers.length === 3) break;
  }
  return callers;
}

/** Describes the operation at which a thread is blocked. */
export function describeStuck(
  names: Names,
  state: SharedState,
  thread: number,
  threadId: number,
  node: H.HistoryNode,
): TimelineEntry {
  return { ...describeAction(names, state, thread, threadId, node, BLOCKED), action: 'stuck', lock: 'waits for' };
}

function actionOf(node: H.HistoryNode, value: number): string {
  if (value === BLOCKED && node.kind === H.WAIT) return 'sleeps';
  if (value === WAS_WOKEN && node.kind === H.WAIT) return 'wakes';
  if (value === TIMED_OUT && node.kind === H.WAIT) return 'times out';
  return H.KIND_NAMES[node.kind];
}

function lockAction(node: H.HistoryNode, value: number): TimelineEntry['lock'] {
  if (node.kind === H.COMPARE_EXCHANGE && node.a === 0) return value === 0 ? 'takes' : 'finds taken';
  if (node.kind === H.EXCHANGE && node.a === 0) return 'releases';
  if (node.kind === H.WAIT && value === BLOCKED) return 'waits for';
  return undefined;
}
