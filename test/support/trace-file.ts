import type { Test } from 'tap';
import type { TestServer } from './server.js';

/** An event of the JSON trace-event format, as far as it is used here. Times are µs. */
export interface TraceEvent {
  readonly ph: 'M' | 'X' | 'i' | 's' | 'f';
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly name: string;
  readonly cat?: string;
  readonly id?: number;
  // biome-ignore lint/suspicious/noExplicitAny: by the name of the event
  readonly args?: any;
}

export interface Stretch extends TraceEvent {
  readonly dur: number;
  /** Both in whole ns. */
  readonly from: number;
  readonly to: number;
}

/** The threads are the first process of a trace, the locks the second. */
export const THREADS = 1;
export const LOCKS = 2;

/** A trace as a viewer reads it. */
export class TraceFile {
  readonly events: readonly TraceEvent[];
  // biome-ignore lint/suspicious/noExplicitAny: what the trace says about itself
  readonly otherData: any;

  constructor(text: string) {
    const { traceEvents, otherData } = JSON.parse(text);
    this.events = traceEvents;
    this.otherData = otherData;
  }

  static async of(server: TestServer, machine: string): Promise<TraceFile> {
    const response = await fetch(`${server.url}/v1/machines/${machine}/trace?format=perfetto`);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${response.status} ${text}`);
    return new TraceFile(text);
  }

  /** Numbers of the tracks of a process, by name. */
  tracks(pid: number): Map<string, number> {
    return new Map(
      this.events
        .filter((event) => event.ph === 'M' && event.pid === pid && event.name === 'thread_name')
        .map(({ args, tid }) => [args.name, tid]),
    );
  }

  /** The slices of a track, or of all tracks of a process. */
  stretches(pid: number, track?: string): Stretch[] {
    const tid = track === undefined ? undefined : this.tracks(pid).get(track);
    return this.events
      .filter((event) => event.ph === 'X' && event.pid === pid && (track === undefined || event.tid === tid))
      .map((event) => {
        const dur = event.dur ?? Number.NaN;
        return { ...event, dur, from: Math.round(event.ts * 1000), to: Math.round((event.ts + dur) * 1000) };
      });
  }

  of(ph: TraceEvent['ph'], cat: string): TraceEvent[] {
    return this.events.filter((event) => event.ph === ph && event.cat === cat);
  }

  /** The thread whose track an event stands on. */
  threadOf(event: TraceEvent): string | undefined {
    return [...this.tracks(THREADS)].find(([, tid]) => tid === event.tid)?.[0];
  }
}

/** What viewers demand, and what holds of every trace. */
export function checkStructure(t: Test, file: TraceFile): void {
  const named = new Set(
    [THREADS, LOCKS].flatMap((pid) => [...file.tracks(pid).values()].map((tid) => `${pid}/${tid}`)),
  );
  const end = file.otherData.durationNs;
  const bad: string[] = [];
  const expect = (holds: boolean, what: string, event: object) => {
    if (!holds) bad.push(`${what}: ${JSON.stringify(event)}`);
  };
  for (const event of file.events) {
    expect(event.name.length > 0 && ['M', 'X', 'i', 's', 'f'].includes(event.ph), 'a known event', event);
    if (event.ph === 'M') continue;
    expect(named.has(`${event.pid}/${event.tid}`), 'on a track with a name', event);
    expect(event.ts >= 0 && event.ts * 1000 <= end + 1, 'within the trace', event);
  }
  for (const pid of [THREADS, LOCKS]) {
    for (const track of file.tracks(pid).keys()) checkNesting(file.stretches(pid, track), pid === LOCKS, expect);
  }
  const starts = new Map(file.events.filter(({ ph }) => ph === 's').map((event) => [event.id, event]));
  for (const finish of file.events.filter(({ ph }) => ph === 'f')) {
    const start = starts.get(finish.id);
    expect(start !== undefined && start.ts <= finish.ts, 'an arrow leads from a cause to a later delivery', finish);
    starts.delete(finish.id);
  }
  for (const start of starts.values()) expect(false, 'an arrow has an end', start);
  t.same(bad.slice(0, 5), [], `structure of ${file.events.length} events`);
}

function checkNesting(
  stretches: readonly Stretch[],
  isLock: boolean,
  expect: (holds: boolean, what: string, event: object) => void,
): void {
  const outer: Stretch[] = [];
  let before = 0;
  for (const stretch of stretches) {
    expect(stretch.dur >= 0 && stretch.from >= before, 'in the order of time', stretch);
    before = stretch.from;
    while (outer.length > 0 && (outer.at(-1) as Stretch).to <= stretch.from) outer.pop();
    const around = outer.at(-1);
    expect(!around || (!isLock && stretch.to <= around.to), isLock ? 'one holder at a time' : 'within', stretch);
    outer.push(stretch);
  }
}
