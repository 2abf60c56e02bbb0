import { sourceName } from '../../src/core/devices/gsi/sources.js';
import { HPET_BASE, IOAPIC_BASE } from '../../src/core/devices/guest-map.js';
import { IOREGSEL, IOWIN } from '../../src/core/devices/ioapic/registers.js';
import { PROFILES, type Profile, type Quirk, quirkBits } from '../../src/core/devices/quirks.js';
import type { Design } from '../../src/core/locking/axes.js';
import { PRESETS, type PresetName } from '../../src/core/locking/presets.js';
import {
  CONTROL_LEGACY_INPUT,
  CONTROL_RESET,
  CONTROL_RESTORE,
  CONTROL_SAVE,
} from '../../src/core/machine/control-path.js';
import { type DueWork, STEP_DONE, STEP_PENDING } from '../../src/core/machine/due-work.js';
import { type EventSink, type InterruptEvent, unpackEvent } from '../../src/core/machine/events.js';
import { Machine, type MachineOptions } from '../../src/core/machine/machine.js';
import type { EventWords } from '../../src/core/memory/event-words.js';
import { MACHINE_WORDS } from '../../src/core/memory/map.js';
import { SharedMemory } from '../../src/core/memory/shared-memory.js';
import { U64 } from '../../src/core/memory/u64.js';
import { Thread } from '../../src/core/sync/thread.js';
import { LOCK_REPORT_WORDS, LockReportRings } from '../../src/runtime/memory/lock-reports.js';
import { FIRST_VCPU_THREAD, MAIN_LOOP_THREAD, type SharedMap } from '../../src/runtime/memory/shared-map.js';
import { type InversionReport, LockView } from '../../src/runtime/statistics/lock-view.js';
import { LockTrace } from './lock-trace.js';

const SLOT = 0;
/** The thread table fills the words before. */
const MACHINE_BASE = 512;
const LOCK_REPORTS = MACHINE_BASE + MACHINE_WORDS;
const TRANSFER = (LOCK_REPORTS + LOCK_REPORT_WORDS + 1) & ~1;
const WORDS = TRANSFER + MACHINE_WORDS;

export interface BenchOptions {
  readonly locking?: PresetName | Design;
  readonly profile?: Profile;
  /** In place of a profile's quirks. */
  readonly quirks?: readonly Quirk[];
  readonly hpet?: Partial<MachineOptions['hpet']>;
  readonly ioapic?: Partial<MachineOptions['ioapic']>;
  readonly pic?: boolean;
  readonly vcpus?: number;
  readonly xen?: MachineOptions['xen'];
  readonly generationCheck?: boolean;
  /** The memory of all views; with a clock of its own, the machine's clock follows it in real time. */
  readonly memory?: (buffer: SharedArrayBuffer) => SharedMemory;
  readonly clock?: MachineOptions['clock'];
  /** Whether the main loop runs only when a test calls `mainLoop.run()`. */
  readonly lateMainLoop?: boolean;
}

interface Emitted {
  readonly cause: number;
  /** Virtual ns. */
  readonly virtualTime: number;
  /** Virtual ns of the timer that caused it, or −1. */
  readonly deadline: number;
}

/** An event of a machine in words. */
export type BenchEvent =
  | (Emitted & { readonly kind: 'line'; readonly gsi: number; readonly level: number; readonly source: string })
  | (Emitted & Exclude<InterruptEvent, { kind: 'line' }>);

/**
 * A machine with a manual clock on the one thread of a test: a vCPU's view of it, and the main loop's view, which runs
 * at once whenever it is kicked. Nothing ever waits.
 */
export class BenchMachine {
  /** As a vCPU thread sees it. */
  readonly machine: Machine;
  /** As the main loop sees it. */
  readonly mainLoopMachine: Machine;
  readonly mainLoop: DueWork;
  readonly due: DueWork;
  /** Events since the last `takeEvents`. */
  events: BenchEvent[] = [];

  /** The locks that each of the two takes. */
  readonly vcpuLocks = new LockTrace();
  readonly mainLoopLocks = new LockTrace();

  readonly #value = new U64();
  readonly #lockView: LockView;
  readonly #shared: SharedMemory;

  constructor(options: BenchOptions = {}) {
    const buffer = new SharedArrayBuffer(WORDS * 4);
    const shared = new SharedMemory(buffer);
    this.#shared = shared;
    const memory = options.memory ?? ((buffer) => new SharedMemory(buffer));
    const events: EventSink = {
      emit: (_machine, event) => this.events.push(benchEvent(event)) - 1,
      hasRoom: () => true,
      admits: () => true,
    };
    const reports = new LockReportRings(shared, LOCK_REPORTS);
    const map = { firstMachine: MACHINE_BASE, lockReports: LOCK_REPORTS, vcpuThreads: 1 } as SharedMap;
    this.#lockView = new LockView(shared, map);
    const view = (thread: number, trace: LockTrace, kickMainLoop: () => void) =>
      new Machine(memory(buffer), new Thread(thread, shared, trace.statistics, undefined, reports), {
        events,
        kickMainLoop,
        kickVcpu: () => {},
        kickLoad: () => {},
        transfer: TRANSFER,
      });
    this.mainLoopMachine = view(MAIN_LOOP_THREAD, this.mainLoopLocks, () => {});
    this.mainLoop = this.mainLoopMachine.due;
    this.machine = view(FIRST_VCPU_THREAD, this.vcpuLocks, () => {
      if (options.lateMainLoop) return;
      do this.mainLoop.run();
      while (this.mainLoop.isUnfinished);
    });
    this.due = this.machine.due;
    this.vcpuLocks.watch(this.machine.locks);
    this.mainLoopLocks.watch(this.mainLoopMachine.locks);
    this.machine.create(MACHINE_BASE, {
      slot: SLOT,
      design: typeof options.locking === 'object' ? options.locking : PRESETS[options.locking ?? 'lockless-irq'],
      clock: options.clock ?? 'manual',
      hpet: { timers: 3, msi: false, routingCapability: 0x00ff_ffff, ...options.hpet },
      ioapic: { version: 0x20, id: 0, ...options.ioapic },
      pic: options.pic ?? true,
      vcpus: options.vcpus ?? 0,
      xen: options.xen,
      quirks: quirkBits(options.quirks ?? PROFILES[options.profile ?? 'standard']),
      generationCheck: options.generationCheck ?? true,
      countOverlap: false,
    });
    this.mainLoopMachine.select(MACHINE_BASE);
  }

  /** Reads 1, 2, 4 or 8 bytes. */
  read(address: number, size: number): bigint {
    if (!this.machine.read(address, size)) throw new Error(`no device at 0x${address.toString(16)}`);
    return this.machine.value.toBigInt();
  }

  /** Writes 1, 2, 4 or 8 bytes, and runs what came due. */
  write(address: number, size: number, value: bigint | number): void {
    if (!this.machine.write(address, size, this.#value.setBigInt(BigInt(value)))) {
      throw new Error(`no device at 0x${address.toString(16)}`);
    }
    this.due.settle();
  }

  /** A register of the HPET, by its offset; 64 bits wide by default. */
  readHpet(offset: number, size = 8): bigint {
    return this.read(HPET_BASE + offset, size);
  }

  writeHpet(offset: number, value: bigint | number, size = 8): void {
    this.write(HPET_BASE + offset, size, value);
  }

  /** An indirect register of the IOAPIC. */
  readIoapic(register: number): number {
    this.write(IOAPIC_BASE + IOREGSEL, 4, register);
    return Number(this.read(IOAPIC_BASE + IOWIN, 4));
  }

  writeIoapic(register: number, value: number): void {
    this.write(IOAPIC_BASE + IOREGSEL, 4, register);
    this.write(IOAPIC_BASE + IOWIN, 4, value >>> 0);
  }

  /** Reads a byte from an I/O port. */
  portRead(port: number): number {
    const value = this.machine.portRead(port);
    if (value === undefined) throw new Error(`no device at port 0x${port.toString(16)}`);
    this.due.settle();
    return value;
  }

  portWrite(port: number, value: number): void {
    if (!this.machine.portWrite(port, value)) throw new Error(`no device at port 0x${port.toString(16)}`);
    this.due.settle();
  }

  /** A processor's interrupt acknowledge cycle: the vector. */
  acknowledgeInterrupt(): number {
    const vector = this.machine.acknowledgeInterrupt();
    this.due.settle();
    return vector;
  }

  /** Drives a GSI as the external source. */
  setLine(gsi: number, level: number): void {
    this.machine.setLine(gsi, level);
    this.due.settle();
  }

  /** A local APIC gets a logical id in flat format. */
  setLogicalId(vcpu: number, id: number): void {
    this.machine.setLogicalAddress(vcpu, id);
    this.due.settle();
  }

  endOfInterrupt(vector: number): void {
    this.machine.endOfInterrupt(vector);
    this.due.settle();
  }

  /** Moves the clock by `ns`, and runs every timer on the way. */
  advance(ns: number): void {
    if (!this.tryAdvance(ns)) throw new Error(`cannot advance by ${ns} ns`);
  }

  /** The same; false if the clock cannot go there. */
  tryAdvance(ns: number): boolean {
    const { due } = this;
    let outcome = due.step(ns);
    while (outcome === STEP_PENDING) outcome = due.continueStep(due.steps.target, due.steps.cancels);
    return outcome === STEP_DONE;
  }

  reset(): void {
    this.control(CONTROL_RESET);
  }

  /** Drives the PIT or RTC input of legacy mode: SOURCE_PIT or SOURCE_RTC. */
  setLegacyInput(source: number, level: number): void {
    this.control(CONTROL_LEGACY_INPUT, source * 2 + level);
  }

  /** Control work of the main loop, path C. */
  control(work: number, argument = 0): void {
    this.due.requestControl(work, argument);
    if (!this.due.control.takeDone()) throw new Error('control work was not done');
    this.due.settle();
  }

  /** A snapshot: the words of the transfer area. */
  save(): number[] {
    this.control(CONTROL_SAVE);
    return Array.from({ length: MACHINE_WORDS }, (_, word) => this.#shared.get(TRANSFER + word));
  }

  /** Restores a snapshot; the clock goes on from `time`. */
  restore(snapshot: readonly number[], time: number): void {
    for (const [word, value] of snapshot.entries()) this.#shared.set(TRANSFER + word, value);
    this.control(CONTROL_RESTORE, time);
  }

  /** Orders of two locks that could deadlock, as far as both were seen. */
  inversions(): InversionReport[] {
    return this.#lockView.inversions(SLOT, this.machine.memory);
  }

  takeEvents(): BenchEvent[] {
    const { events } = this;
    this.events = [];
    return events;
  }
}

function benchEvent(words: Readonly<EventWords>): BenchEvent {
  const { cause, virtualTime, deadline } = words;
  const event = unpackEvent(words);
  const times = { cause, virtualTime, deadline };
  if (event.kind !== 'line') return { ...event, ...times };
  return { kind: 'line', gsi: event.gsi, level: event.level, source: sourceName(cause), ...times };
}
