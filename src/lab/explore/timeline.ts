import { unpackEvent } from '../../core/machine/events.js';
import { LOCK_NAMES } from '../../core/sync/lock-names.js';
import { eventCompletedAt } from '../../runtime/events/event-ring.js';
import { eventInWords } from './counterexample/guest.js';
import type { Fixture } from './fixture.js';
import * as H from './history.js';
import type { SharedState } from './shared-state.js';
import { sourceLine } from './source-line.js';
import { StateView } from './state-view.js';
import { BLOCKED, TIMED_OUT, WAS_WOKEN } from './system.js';

export type LockAction = 'takes' | 'releases' | 'waits for' | 'finds taken';

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
  /** The callers outside locks and memory, innermost first, as `file:line function`. */
  readonly source: readonly string[];
  /** The value before, if the action changed it. */
  readonly from?: number;
  /** The thread is at this action and has not performed it. */
  readonly isPending?: true;
  /** The interrupt that the action completes in the event ring, in words. */
  readonly event?: string;
  /** The effect on a lock, if the word is one. */
  readonly lock?: LockAction;
  readonly plain: boolean;
  /** A plain access that was a scheduling point, because the word was found racy. */
  readonly racy?: boolean;
}

/** Describes an action just performed. */
export function describeAction(
  fixture: Fixture,
  state: SharedState,
  thread: number,
  threadId: number,
  node: H.HistoryNode,
  value: number,
): TimelineEntry {
  const { names } = fixture;
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
    ...eventStored(fixture, state, node),
  };
}

/** The interrupt event that an action completes in the event ring, in words. */
function eventStored({ map }: Fixture, state: SharedState, { kind, address }: H.HistoryNode): { event?: string } {
  if (kind !== H.STORE) return {};
  const event = eventCompletedAt(new StateView(state, 0), map.eventRing, map.events, address);
  return event ? { event: eventInWords(unpackEvent(event)) } : {};
}

/** The values of all words before each action of a replay. */
export class WordValues {
  readonly #words: Int32Array;
  readonly #times: Float64Array;

  constructor(initial: Int32Array) {
    this.#words = initial.slice();
    this.#times = new Float64Array(this.#words.buffer, 0, this.#words.length >> 1);
  }

  /** The former value of the word that an action has changed; nothing if it has changed none. */
  update(state: SharedState, { kind, address }: H.HistoryNode): { from?: number } {
    if (address < 0) return {};
    const isTime = kind === H.SET_TIME;
    const old = isTime ? this.#times[address >> 1] : this.#words[address];
    const now = isTime ? state.getTime(address) : state.get(address);
    if (isTime) this.#times[address >> 1] = now;
    else this.#words[address] = now;
    return Object.is(old, now) ? {} : { from: old };
  }
}

function callersOf(stack: readonly string[]): string[] {
  const callers: string[] = [];
  for (const line of stack) {
    const source = sourceLine(line);
    if (/^src\/(core|runtime)\//.test(source) && !/^src\/core\/(sync|memory)\//.test(source)) callers.push(source);
  }
  return callers;
}

/** Describes the action at which a thread is, blocked or about to perform it. */
export function describePending(
  fixture: Fixture,
  state: SharedState,
  thread: number,
  threadId: number,
  node: H.HistoryNode,
  isBlocked: boolean,
): TimelineEntry {
  const described = describeAction(fixture, state, thread, threadId, node, isBlocked ? BLOCKED : 0);
  if (!isBlocked) return { ...described, isPending: true };
  const spins = node.kind === H.AWAIT_CHANGE;
  return { ...described, isPending: true, action: 'stuck', ...(!spins && { lock: 'waits for' }) };
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
