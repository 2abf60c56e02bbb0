import { CALL_SITES } from '../../core/sync/call-sites.js';
import { LOCK_NAMES } from '../../core/sync/lock-names.js';
import { DELIVERY_BEGINS, INTERRUPT } from './kinds.js';
import type { MachineTrace } from './machine-trace.js';
import { nested } from './nesting.js';
import { type Instant, type Slice, ThreadSlices } from './slices.js';

/** What a trace says about itself. */
export interface TraceTitle {
  readonly machine: string;
  readonly locking: string;
  /** Records that the ring of each thread holds. */
  readonly capacity: number;
}

/** Two processes of the viewer: the threads, and the locks with their holders. */
const THREADS = 1;
const LOCKS = 2;

type Json = { readonly [key: string]: unknown };

/**
 * A trace in the JSON trace-event format, which ui.perfetto.dev and chrome://tracing open, in pieces of text. Times are
 * µs since tracing was turned on, to the ns, of one clock.
 */
export function* perfettoTrace(trace: MachineTrace, title: TraceTitle): Generator<string> {
  let separator = `{"displayTimeUnit":"ns","otherData":${JSON.stringify(otherData(trace, title))},"traceEvents":[\n`;
  for (const events of batches(trace, title)) {
    if (events.length === 0) continue;
    yield separator + events.map((event) => JSON.stringify(event)).join(',\n');
    separator = ',\n';
  }
  yield '\n]}\n';
}

function otherData(trace: MachineTrace, { machine, locking, capacity }: TraceTitle): Json {
  const threads = [...trace.threads.values()].map(({ name, records, overwritten }) => [
    name,
    { records: records.length, overwritten },
  ]);
  return {
    machine,
    locking,
    hostTimeOfZeroNs: trace.from,
    durationNs: trace.until - trace.from,
    truncated: isTruncated(trace),
    recordsPerThread: capacity,
    threads: Object.fromEntries(threads),
  };
}

function isTruncated(trace: MachineTrace): boolean {
  return [...trace.threads.values()].some(({ overwritten }) => overwritten > 0);
}

/** Events, with the metadata first; a batch for each track. */
function* batches(trace: MachineTrace, { machine, locking }: TraceTitle): Generator<Json[]> {
  const time = (ns: number) => Math.round(ns - trace.from) / 1000;
  yield [name('process', THREADS, 0, `${machine} (${locking})`), name('process', LOCKS, 0, `locks of ${machine}`)];
  const holds: Hold[] = [];
  const connected = emittedAndDelivered(trace);
  for (const [thread, { name: threadName, records, overwritten }] of trace.threads) {
    yield [name('thread', THREADS, thread, threadName), sortIndex(THREADS, thread, thread)];
    const { slices, instants } = new ThreadSlices(trace, records);
    if (overwritten > 0) yield [truncation(time(records[0]?.time ?? trace.until), thread, overwritten)];
    for (const slice of slices) if (slice.category === 'lock') holds.push({ ...slice, thread: threadName });
    yield nested(slices).flatMap((slice) => sliceEvents(slice, thread, time, connected));
    yield instants.flatMap((instant) => instantEvents(instant, thread, time, connected));
  }
  yield* lockTracks(holds, time);
}

type Clock = (ns: number) => number;

/** From the first µs of the slice to the last, so that both ends are exact to the ns. */
function complete(slice: Slice, pid: number, tid: number, time: Clock, label = slice.name): Json {
  const ts = time(slice.begin);
  const dur = Math.round((time(slice.end) - ts) * 1000) / 1000;
  return { ph: 'X', pid, tid, ts, dur, name: label, cat: slice.category, args: slice.args };
}

/** The interrupt events that an arrow can be drawn for: of others one end was overwritten, or is still to come. */
function emittedAndDelivered({ threads }: MachineTrace): ReadonlySet<number> {
  const records = [...threads.values()].flatMap((thread) => thread.records);
  const of = (kind: number) => records.filter((record) => record.kind === kind).map(({ a }) => a >>> 0);
  const emitted = new Set(of(INTERRUPT));
  return new Set(of(DELIVERY_BEGINS).filter((event) => emitted.has(event)));
}

function sliceEvents(slice: Slice, tid: number, time: Clock, connected: ReadonlySet<number>): Json[] {
  const event = complete(slice, THREADS, tid, time);
  if (slice.event === undefined || !connected.has(slice.event)) return [event];
  return [event, { ph: 'f', bp: 'e', pid: THREADS, tid, ts: time(slice.begin), ...flow(slice.event) }];
}

function instantEvents(instant: Instant, tid: number, time: Clock, connected: ReadonlySet<number>): Json[] {
  const { name, category, time: at, args, event } = instant;
  const scope = category === 'deadlock' ? 'p' : 't';
  const mark = { ph: 'i', s: scope, pid: THREADS, tid, ts: time(at), name, cat: category, args };
  if (event === undefined || !connected.has(event)) return [mark];
  return [mark, { ph: 's', pid: THREADS, tid, ts: time(at), ...flow(event) }];
}

/** The arrow from the cause of an interrupt event to its delivery. */
function flow(event: number): Json {
  return { id: event, name: 'interrupt', cat: 'interrupt' };
}

/** Stands where the records of a thread begin. */
function truncation(ts: number, tid: number, overwritten: number): Json {
  const notice = `truncated: ${overwritten} earlier records were overwritten`;
  return { ph: 'i', s: 't', pid: THREADS, tid, ts, name: notice, cat: 'truncated', args: { overwritten } };
}

interface Hold extends Slice {
  readonly thread: string;
}

/** A track for each lock, with who holds it: never two at a time. */
function* lockTracks(holds: readonly Hold[], time: Clock): Generator<Json[]> {
  for (const [lock, lockName] of LOCK_NAMES.entries()) {
    const ofLock = holds.filter((hold) => hold.lock === lock).sort((a, b) => a.begin - b.begin || a.end - b.end);
    if (ofLock.length === 0) continue;
    yield [name('thread', LOCKS, lock + 1, lockName), sortIndex(LOCKS, lock + 1, lock)];
    let free = Number.NEGATIVE_INFINITY;
    const events: Json[] = [];
    for (const hold of ofLock) {
      // Only a hold whose beginning was overwritten can seem to begin before the lock was free.
      const begin = Math.min(Math.max(hold.begin, free), hold.end);
      events.push(complete({ ...hold, begin }, LOCKS, lock + 1, time, `${hold.thread}: ${siteOf(hold)}`));
      free = hold.end;
    }
    yield events;
  }
}

function siteOf({ args }: Hold): string {
  return CALL_SITES.find((site) => site === args.site) ?? 'unknown site';
}

function name(what: 'process' | 'thread', pid: number, tid: number, text: string): Json {
  return { ph: 'M', pid, tid, ts: 0, name: `${what}_name`, args: { name: text } };
}

function sortIndex(pid: number, tid: number, index: number): Json {
  return { ph: 'M', pid, tid, ts: 0, name: 'thread_sort_index', args: { sort_index: index } };
}
