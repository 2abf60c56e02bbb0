import { MACHINE_WORDS } from '../../core/memory/map.js';
import type { Memory } from '../../core/memory/memory.js';
import { MAX_THREADS } from '../../core/sync/wait-graph.js';
import { eventRingWords } from '../events/event-ring.js';
import { eventShareWords } from '../events/event-shares.js';
import { DOORBELL_WORDS } from '../rings/doorbell.js';
import { submissionRingWords } from '../rings/submission-ring.js';
import { LOCK_REPORT_WORDS } from './lock-reports.js';
import { progressWords, Roles } from './progress.js';
import { statisticsWords } from './statistics-layout.js';
import { type TraceMap, traceWords } from './trace-map.js';

export interface SharedMapOptions {
  /** Most machines at a time. */
  readonly machines: number;
  readonly vcpuThreads: number;
  /** Records of each submission ring, a power of two. */
  readonly submissions: number;
  /** Records of the event ring, a power of two. */
  readonly events: number;
  /** Most events of one access or callback; `LARGEST_BURST` of `events/event-ring.ts` if not given. */
  readonly burst?: number;
  /** Callbacks of one slice of due work; `CALLBACKS_PER_SLICE` of `machine/due-work.ts` if not given. */
  readonly slice?: number;
  /** What is counted apart: machines, or groups of them. */
  readonly statisticsSlots: number;
  /** Records of each thread's trace; 0, so that nothing can be traced, if not given. */
  readonly traceRecords?: number;
}

/** Where everything lies in the one SharedArrayBuffer of a process, in words. The thread table comes first. */
export interface SharedMap extends SharedMapOptions, TraceMap {
  readonly traceRecords: number;
  readonly statistics: number;
  readonly mainLoopBell: number;
  readonly gatewayBell: number;
  /** One bit per machine: the main loop is to look at it. */
  readonly kicked: number;
  /** Requests for a round of the main loop, and how many of them it saw. */
  readonly roundsWanted: number;
  readonly roundsDone: number;
  /** One per vCPU thread: a copy of a machine's memory for the gateway. */
  readonly viewBuffers: number;
  /** One bit per machine and vCPU thread: callbacks wait for that thread. */
  readonly drains: number;
  readonly vcpuBells: number;
  readonly loadBell: number;
  /** One bit per machine: the load thread is to look at it. */
  readonly loadKicked: number;
  readonly submissionRings: number;
  readonly lockReports: number;
  /** A machine on its way into or out of a snapshot. */
  readonly transfer: number;
  /** One word per thread number: whether it is writing an event now. */
  readonly emitting: number;
  /** What threads show the watchdog; see `progress.ts`. */
  readonly progress: number;
  readonly eventRing: number;
  /** What each machine uses of the event ring. */
  readonly eventShares: number;
  readonly firstMachine: number;
  /** The deadline of this process's lease; see `lease-word.ts`. */
  readonly lease: number;
  readonly words: number;
}

/** A part of the shared memory, by the key that has its address. */
export type SharedPart = Exclude<keyof SharedMap, keyof SharedMapOptions | 'words'>;

const CACHE_LINE = 16;

/** Rings for vCPU threads that replace ones that hang. */
export const SPARE_RINGS = 8;

export function sharedMap(options: SharedMapOptions): SharedMap {
  let next = 512;
  const claim = (words: number): number => {
    const start = next;
    next += Math.ceil(words / CACHE_LINE) * CACHE_LINE;
    return start;
  };
  const { traceRecords = 0 } = options;
  return {
    ...options,
    traceRecords,
    statistics: claim(statisticsWords(options.statisticsSlots)),
    mainLoopBell: claim(DOORBELL_WORDS),
    gatewayBell: claim(DOORBELL_WORDS),
    kicked: claim(bitmapWords(options)),
    roundsWanted: claim(1),
    roundsDone: claim(1),
    viewBuffers: claim(options.vcpuThreads * MACHINE_WORDS),
    drains: claim(options.vcpuThreads * bitmapWords(options)),
    vcpuBells: claim(options.vcpuThreads * DOORBELL_WORDS),
    loadBell: claim(DOORBELL_WORDS),
    loadKicked: claim(bitmapWords(options)),
    submissionRings: claim((options.vcpuThreads + SPARE_RINGS) * submissionRingStride(options)),
    lockReports: claim(LOCK_REPORT_WORDS),
    transfer: claim(MACHINE_WORDS),
    emitting: claim(MAX_THREADS),
    progress: claim(progressWords(options)),
    eventRing: claim(eventRingWords(options.events)),
    eventShares: claim(eventShareWords(options.machines)),
    firstMachine: claim(options.machines * MACHINE_WORDS),
    lease: claim(1),
    // Last, so that its size moves nothing else.
    traceRings: claim(traceWords(traceRecords)),
    words: next,
  };
}

/** Words of a bitmap with one bit per machine. */
export function bitmapWords(options: SharedMapOptions): number {
  return Math.ceil(options.machines / 32);
}

export function drainsAt(map: SharedMap, thread: number): number {
  return map.drains + thread * bitmapWords(map);
}

export function vcpuBellAt(map: SharedMap, thread: number): number {
  return map.vcpuBells + thread * DOORBELL_WORDS;
}

/** Words from one submission ring to the next. */
export function submissionRingStride(options: SharedMapOptions): number {
  return Math.ceil(submissionRingWords(options.submissions) / CACHE_LINE) * CACHE_LINE;
}

export function submissionRingAt(map: SharedMap, thread: number): number {
  return map.submissionRings + thread * submissionRingStride(map);
}

export function viewBufferAt(map: SharedMap, thread: number): number {
  return map.viewBuffers + thread * MACHINE_WORDS;
}

export function machineAt(map: SharedMap, slot: number): number {
  return map.firstMachine + slot * MACHINE_WORDS;
}

/** The machine that a word address belongs to. */
export function slotAt(map: SharedMap, address: number): number {
  return Math.floor((address - map.firstMachine) / MACHINE_WORDS);
}

/** Thread numbers: the gateway, the main loop, the vCPU threads, replacements, and last the load thread. */
export const GATEWAY_THREAD = 1;
export const MAIN_LOOP_THREAD = 2;
export const FIRST_VCPU_THREAD = 3;
export const LOAD_THREAD = MAX_THREADS - 1;

/** The name of a thread in reports and metrics, by its role; `main-loop′` took over from a `main-loop` that hangs. */
export function threadName(id: number, map: SharedMap, shared: Memory): string {
  if (id === GATEWAY_THREAD) return 'gateway';
  const name = new Roles(shared, map.progress).nameOf(id);
  if (name !== undefined) return name;
  if (id === MAIN_LOOP_THREAD) return 'main-loop';
  if (id === LOAD_THREAD) return 'bql-load';
  const vcpu = id - FIRST_VCPU_THREAD;
  return vcpu < map.vcpuThreads ? `vcpu-${vcpu}` : `thread-${id}`;
}
