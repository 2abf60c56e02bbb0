import '../core/machine/kicks.js';
import { loadConfiguration } from '../config/sources.js';
import * as guest from '../core/devices/guest-map.js';
import type { Area } from '../core/memory/layout.js';
import { MACHINE_AREAS, MACHINE_WORDS } from '../core/memory/map.js';
import type { SharedMap, SharedPart } from '../runtime/memory/shared-map.js';
import { Service } from '../server/service/service.js';
import { code, page, table } from './markdown.js';

/** What a part of the memory holds, and the file under `src` that lays it out. */
export interface Part {
  readonly contents: string;
  readonly file: string;
}

/** The default depends on the processors. */
const VCPU_THREADS = 2;

/** Parts of the process's memory behind the thread table, in any order. */
export const SHARED_PARTS: { readonly [part in SharedPart]: Part } = {
  statistics: { contents: 'counters, a block per thread and slot', file: 'runtime/memory/statistics-layout.ts' },
  mainLoopBell: { contents: 'doorbell of the main loop', file: 'runtime/rings/doorbell.ts' },
  gatewayBell: { contents: 'doorbell of the gateway', file: 'runtime/rings/doorbell.ts' },
  kicked: { contents: 'bitmap of the machines that the main loop must visit', file: 'runtime/threads/host.ts' },
  roundsWanted: { contents: 'rounds of the main loop that were requested', file: 'runtime/threads/main-loop.ts' },
  roundsDone: { contents: 'rounds of the main loop that are complete', file: 'runtime/threads/main-loop.ts' },
  viewBuffers: { contents: 'a copy of a machine per vCPU thread, for register views', file: 'core/machine/view.ts' },
  drains: { contents: 'bitmaps of callbacks that wait for a vCPU thread', file: 'runtime/threads/host.ts' },
  vcpuBells: { contents: 'doorbells of the vCPU threads', file: 'runtime/rings/doorbell.ts' },
  loadBell: { contents: 'doorbell of the load thread', file: 'runtime/rings/doorbell.ts' },
  loadKicked: { contents: 'bitmap of the machines that the load thread must visit', file: 'runtime/threads/host.ts' },
  submissionRings: {
    contents: 'a ring of requests per vCPU thread, eight of them spare',
    file: 'runtime/rings/submission-ring.ts',
  },
  lockReports: {
    contents: 'reports of deadlocks and lock order inversions',
    file: 'runtime/memory/lock-reports.ts',
  },
  transfer: { contents: 'the machine of the snapshot in flight', file: 'core/machine/saved-state.ts' },
  emitting: { contents: 'threads that are writing an event', file: 'runtime/events/event-ring.ts' },
  progress: { contents: 'what threads show the watchdog', file: 'runtime/memory/progress.ts' },
  eventRing: { contents: 'interrupt events of all machines, in one order', file: 'runtime/events/event-ring.ts' },
  eventShares: { contents: 'what each machine uses of the event ring', file: 'runtime/events/event-shares.ts' },
  firstMachine: { contents: `machines, ${MACHINE_WORDS} words each`, file: 'core/memory/map.ts' },
  lease: { contents: 'deadline of the lease of a cluster node', file: 'runtime/threads/lease-word.ts' },
  traceRings: { contents: 'a trace ring per thread', file: 'runtime/memory/trace-map.ts' },
};

/** Areas of a machine's memory, by name. */
export const AREA_PARTS: { readonly [area: string]: Part } = {
  config: { contents: 'constants of the machine: slot, design, quirks', file: 'core/machine/configuration.ts' },
  lockOptions: { contents: 'kind of mutex, deadlock handling, lock order checks', file: 'core/sync/locks.ts' },
  statistics: { contents: 'where the counters of the machine go', file: 'core/sync/statistics.ts' },
  clock: { contents: 'virtual clock, in a sequence latch', file: 'core/machine/clock.ts' },
  control: { contents: 'the request for control work', file: 'core/machine/control-slot.ts' },
  dueWork: { contents: 'settling, drains', file: 'core/machine/due-work.ts' },
  life: { contents: 'whether the machine exists, threads inside it', file: 'core/machine/configuration.ts' },
  locks: { contents: 'six lock words, a cache line (16 words) each', file: 'core/sync/locks.ts' },
  timers: { contents: 'timer list: 24 HPET timers, the IOAPIC storm timer', file: 'core/machine/timer-list.ts' },
  hpet: { contents: 'HPET registers and hidden state', file: 'core/devices/hpet/state.ts' },
  router: { contents: 'levels of each source of each GSI', file: 'core/devices/gsi/router.ts' },
  ioapic: { contents: 'IOAPIC registers and pins', file: 'core/devices/ioapic/ioapic.ts' },
  pic: { contents: '8259 pair', file: 'core/devices/i8259/state.ts' },
  lockOrder: { contents: 'observed lock order edges', file: 'core/sync/lock-order-recorder.ts' },
  deferred: { contents: 'decided and applied line levels', file: 'core/locking/line-decisions.ts' },
  lineQueue: { contents: 'queue of `irq: try-queue`', file: 'core/locking/line-queue.ts' },
  kick: { contents: 'callbacks for a vCPU thread, `timer: kick`', file: 'core/machine/kicks.ts' },
  load: {
    contents: 'background work under the BQL, and the turn of the thread that is in the machine',
    file: 'core/machine/bql-load.ts',
  },
  xen: { contents: 'filter of the Xen event channel', file: 'core/devices/gsi/xen-filter.ts' },
  lineChanges: { contents: 'levels that rose and fell within one deferral', file: 'core/locking/line-decisions.ts' },
  steps: { contents: 'targets and cancellation of manual clock steps', file: 'core/machine/steps.ts' },
  ownDesign: { contents: 'words that a design from a module declares', file: 'core/locking/own-design.ts' },
  localApics: {
    contents: 'logical addresses of the local APICs, by vCPU',
    file: 'core/devices/ioapic/destinations.ts',
  },
};

const hexadecimal = (address: number) => `0x${address.toString(16)}`;
const range = (base: number, size: number) => `${hexadecimal(base)}–${hexadecimal(base + size - 1)}`;
const ports = (...numbers: number[]) => numbers.map((port) => `port ${hexadecimal(port)}`).join(', ');
const registers = (device: string) => code(`src/core/devices/${device}/registers.ts`);

const GUEST_ROWS = [
  [range(guest.HPET_BASE, guest.HPET_SIZE), 'HPET', `${guest.HPET_WIDTH} bytes`, registers('hpet')],
  [range(guest.IOAPIC_BASE, guest.IOAPIC_SIZE), 'IOAPIC', `${guest.IOAPIC_WIDTH} bytes`, registers('ioapic')],
  [ports(guest.MASTER_COMMAND, guest.MASTER_DATA), '8259 master', '1 byte', registers('i8259')],
  [ports(guest.SLAVE_COMMAND, guest.SLAVE_DATA), '8259 slave', '1 byte', registers('i8259')],
  [ports(guest.ELCR_MASTER, guest.ELCR_SLAVE), 'edge/level control', '1 byte', registers('i8259')],
];

/** `docs/memory-map.md` */
export function memoryMapPage(): string {
  return page(
    '# Memory map',
    'Generated from `src/core/memory/map.ts` and `src/runtime/memory/shared-map.ts` by `npm run docs:generate`.',
    'All shared state of a process lies in one SharedArrayBuffer of 32-bit words. Threads reach it through `Memory` ' +
      '(`src/core/memory/memory.ts`) only. [Architecture](architecture.md) explains what the threads do with it.',
    '## Process',
    'Every part begins at a cache line (16 words). Starts depend on the configuration; these are for the default limits and ' +
      `${VCPU_THREADS} vCPU threads.`,
    table(['words', 'part', 'contents', 'file'], sharedRows(defaultMap())),
    '## Machine',
    `A machine has ${MACHINE_WORDS} words (${(MACHINE_WORDS / 256).toFixed(1)} KiB). Addresses are relative to its base. One module ` +
      'lays out each area, so addresses do not depend on the order in which a thread loads modules.',
    table(['words', 'area', 'contents', 'file'], MACHINE_AREAS.map(areaRow)),
    '## Guest',
    'The guest sees registers at physical addresses and I/O ports, from `src/core/devices/guest-map.ts`. A wider access than ' +
      'the width given reaches the device in pieces.',
    table(['addresses', 'device', 'width', 'registers'], GUEST_ROWS),
    '## Fields',
    'The protection of a field names what a thread must hold to access it; `src/core/memory/layout.ts` defines the ' +
      'names. Exploration checks it at every access. A field of a table has one row: the ' +
      'first word, and the words of all records together.',
    table(['first word', 'field', 'words', 'protection'], MACHINE_AREAS.flatMap(fieldRows)),
  );
}

/** The map of a server with the default limits; its threads are not started. */
function defaultMap(): SharedMap {
  const { configuration } = loadConfiguration({});
  return new Service({ ...configuration, vcpuThreads: VCPU_THREADS }, () => {}).engine.map;
}

function sharedRows(map: SharedMap): string[][] {
  const names = Object.keys(SHARED_PARTS) as SharedPart[];
  const parts = names.map((name) => ({ name, start: map[name], ...SHARED_PARTS[name] }));
  const table = { name: 'threads', start: 0, contents: 'what each thread waits for', file: 'core/sync/wait-graph.ts' };
  const sorted = [table, ...parts].sort((a, b) => a.start - b.start);
  return sorted.map((part, i) => row(part.start, sorted[i + 1]?.start ?? map.words, part.name, part));
}

function areaRow({ name, start, end }: Area): string[] {
  const part = AREA_PARTS[name];
  if (!part) throw new Error(`area ${name} has no description in src/docs/memory-map.ts`);
  return row(start, end, name, part);
}

function row(start: number, end: number, name: string, { contents, file }: Part): string[] {
  return [`${start}–${end - 1}`, code(name), contents, code(`src/${file}`)];
}

function fieldRows(area: Area): string[][] {
  const fields = new Map<string, { first: number; words: number; protection: string }>();
  for (const address of area.addresses()) {
    const { name, protection } = area.field(address) ?? { name: '', protection: '' };
    const shown = name.replace(/\[\d+\]/g, '[n]');
    const field = fields.get(shown);
    if (field) field.words++;
    else fields.set(shown, { first: address, words: 1, protection });
  }
  return [...fields].map(([name, { first, words, protection }]) => [
    String(first),
    code(name),
    String(words),
    protection,
  ]);
}
