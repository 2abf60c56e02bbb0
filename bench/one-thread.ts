import { HPET_BASE } from '../src/core/devices/guest-map.js';
import {
  GENERAL_CONFIGURATION,
  INT_ENB_CNF,
  TIMER_BLOCKS,
  TIMER_COMPARATOR,
} from '../src/core/devices/hpet/registers.js';
import { PROFILES, quirkBits } from '../src/core/devices/quirks.js';
import { PRESETS, type PresetName } from '../src/core/locking/presets.js';
import { Machine, type MachineOptions } from '../src/core/machine/machine.js';
import { SharedMemory } from '../src/core/memory/shared-memory.js';
import { U64 } from '../src/core/memory/u64.js';
import { Thread } from '../src/core/sync/thread.js';
import { WaitGraph } from '../src/core/sync/wait-graph.js';
import { FIRST_VCPU_THREAD, machineAt, sharedMap } from '../src/runtime/memory/shared-map.js';
import { ThreadStatistics } from '../src/runtime/statistics/thread-statistics.js';
import { ThreadHost } from '../src/runtime/threads/host.js';

/** Of timer 0. */
export const COMPARATOR = TIMER_BLOCKS + TIMER_COMPARATOR;

export function machineOptions(slot: number, preset: PresetName): MachineOptions {
  return {
    slot,
    design: PRESETS[preset],
    clock: 'realtime',
    hpet: { timers: 3, msi: false, routingCapability: 0x00ff_0104 },
    ioapic: { version: 0x20, id: 0 },
    quirks: quirkBits(PROFILES.standard),
    generationCheck: true,
    countOverlap: false,
  };
}

/** Machines as a vCPU thread sees them, on this thread and with nobody else about. */
export class OneThread {
  readonly map;
  readonly buffer: SharedArrayBuffer;
  readonly host: ThreadHost;
  readonly thread: Thread;

  constructor(machines: number, traceRecords = 0) {
    this.map = sharedMap({
      machines,
      vcpuThreads: 2,
      submissions: 1024,
      events: 16384,
      statisticsSlots: 1,
      traceRecords,
    });
    this.buffer = new SharedArrayBuffer(this.map.words * 4);
    const shared = new SharedMemory(this.buffer);
    this.host = new ThreadHost(shared, this.map);
    const statistics = new ThreadStatistics(this.buffer, this.map, FIRST_VCPU_THREAD);
    this.thread = new Thread(FIRST_VCPU_THREAD, shared, statistics, new WaitGraph(shared, FIRST_VCPU_THREAD));
  }

  newMachine(): Machine {
    return new Machine(new SharedMemory(this.buffer), this.thread, this.host);
  }

  create(slot: number, preset: PresetName, machine = this.newMachine()): Machine {
    machine.create(machineAt(this.map, slot), machineOptions(slot, preset));
    return machine;
  }
}

const value = new U64();

export function writeHpet(machine: Machine, offset: number, low: number, high = 0): void {
  machine.write(HPET_BASE + offset, 8, value.set(low, high));
}

/** A machine whose HPET runs, with timer 0 armed for a deadline far in the future. */
export function running(fixture: OneThread, slot: number, preset: PresetName): Machine {
  const machine = fixture.create(slot, preset);
  writeHpet(machine, TIMER_BLOCKS, INT_ENB_CNF | (2 << 9));
  writeHpet(machine, COMPARATOR, 0, 1);
  writeHpet(machine, GENERAL_CONFIGURATION, 1);
  return machine;
}
