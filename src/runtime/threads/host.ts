import type { MachineHost } from '../../core/machine/host.js';
import type { Memory } from '../../core/memory/memory.js';
import { EventRing } from '../events/event-ring.js';
import { Doorbell } from '../rings/doorbell.js';
import { drainsAt, type SharedMap, vcpuBellAt } from './shared-map.js';

/** What the threads of a process offer to a machine, as one of them sees it. */
export class ThreadHost implements MachineHost {
  readonly events: EventRing;
  readonly mainLoopBell: Doorbell;
  readonly gatewayBell: Doorbell;
  readonly vcpuBells: readonly Doorbell[];
  readonly transfer: number;
  readonly slice: number | undefined;

  constructor(
    readonly shared: Memory,
    readonly map: SharedMap,
    waits = true,
  ) {
    this.events = new EventRing(shared, map.eventRing, map.events, map.vcpuThreads + 2, waits, map.burst);
    this.transfer = map.transfer;
    this.slice = map.slice;
    this.mainLoopBell = new Doorbell(shared, map.mainLoopBell);
    this.gatewayBell = new Doorbell(shared, map.gatewayBell);
    this.events.onFull = () => this.gatewayBell.ring();
    this.vcpuBells = Array.from({ length: map.vcpuThreads }, (_, i) => new Doorbell(shared, vcpuBellAt(map, i)));
  }

  kickMainLoop(slot: number): void {
    const bit = 1 << (slot & 31);
    // A bit that is set was followed by a ring, and is cleared before the main loop looks at the machine.
    if (!(this.shared.or(this.map.kicked + (slot >> 5), bit) & bit)) this.mainLoopBell.ring();
  }

  /** The main loop, which is awake, owes a machine another round. */
  kickAgain(slot: number): void {
    this.shared.or(this.map.kicked + (slot >> 5), 1 << (slot & 31));
  }

  kickVcpu(slot: number): void {
    const thread = slot % this.map.vcpuThreads;
    const bit = 1 << (slot & 31);
    if (!(this.shared.or(drainsAt(this.map, thread) + (slot >> 5), bit) & bit)) this.vcpuBells[thread].ring();
  }

  /** A thread died, and a bell that it was to ring, or whose mark it took, may stay silent: all ring. */
  ringAll(): void {
    for (const bell of [this.mainLoopBell, this.gatewayBell, ...this.vcpuBells]) bell.ringAgain();
  }

  /** Tells the gateway of events, after all locks are released. */
  publish(): void {
    if (!this.events.emitted) return;
    this.events.emitted = false;
    this.gatewayBell.ring();
  }
}
