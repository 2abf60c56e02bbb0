import type { MachineHost } from '../../core/machine/host.js';
import type { Memory } from '../../core/memory/memory.js';
import { EventRing } from '../events/event-ring.js';
import { EventShares } from '../events/event-shares.js';
import { NO_WAIT, RING_WAIT, SETTLE_WAIT, type ThreadProgress } from '../memory/progress.js';
import { drainsAt, type SharedMap, vcpuBellAt } from '../memory/shared-map.js';
import { Doorbell } from '../rings/doorbell.js';
import type { LeaseWord } from './lease-word.js';
import { kick } from './slot-loop.js';

/** What the threads of a process offer to a machine, as one of them sees it. */
export class ThreadHost implements MachineHost {
  readonly events: EventRing;
  readonly shares: EventShares;
  readonly mainLoopBell: Doorbell;
  readonly gatewayBell: Doorbell;
  readonly loadBell: Doorbell;
  readonly vcpuBells: readonly Doorbell[];
  readonly transfer: number;
  readonly slice: number | undefined;
  /** Where this thread shows its progress; exploration has no watchdog. */
  progress: ThreadProgress | undefined;
  /** Until when the threads may act; exploration has no clock to run out. */
  lease: LeaseWord | undefined;

  constructor(
    readonly shared: Memory,
    readonly map: SharedMap,
    waits = true,
  ) {
    this.shares = new EventShares(shared, map.eventShares, map.machines);
    this.events = new EventRing(shared, map.eventRing, map.events, map.vcpuThreads + 2, waits, map.burst, this.shares);
    this.transfer = map.transfer;
    this.slice = map.slice;
    this.mainLoopBell = new Doorbell(shared, map.mainLoopBell);
    this.gatewayBell = new Doorbell(shared, map.gatewayBell);
    this.loadBell = new Doorbell(shared, map.loadBell);
    this.events.onFull = () => this.gatewayBell.ring();
    this.events.onRoom = (machine) => this.kickMainLoop(machine);
    this.events.onWait = (isWaiting) => this.progress?.waits(isWaiting ? RING_WAIT : NO_WAIT);
    this.vcpuBells = Array.from({ length: map.vcpuThreads }, (_, i) => new Doorbell(shared, vcpuBellAt(map, i)));
  }

  /** Whether this thread may execute anything for its machines now. */
  get mayAct(): boolean {
    return this.lease === undefined || this.lease.isHeld;
  }

  /** The thread waits for a round of the main loop, or has waited. */
  settles(isWaiting: boolean): void {
    this.progress?.waits(isWaiting ? SETTLE_WAIT : NO_WAIT);
  }

  kickMainLoop(slot: number): void {
    kick(this.shared, this.map.kicked, slot, this.mainLoopBell);
  }

  kickVcpu(slot: number): void {
    const thread = slot % this.map.vcpuThreads;
    kick(this.shared, drainsAt(this.map, thread), slot, this.vcpuBells[thread]);
  }

  kickLoad(slot: number): void {
    kick(this.shared, this.map.loadKicked, slot, this.loadBell);
  }

  /** A thread died, and a bell that it was to ring, or whose mark it took, may stay silent: all ring. */
  ringAll(): void {
    for (const bell of [this.mainLoopBell, this.gatewayBell, this.loadBell, ...this.vcpuBells]) bell.ringAgain();
  }

  /** Tells the gateway of events, after all locks are released. */
  publish(): void {
    if (!this.events.emitted) return;
    this.events.emitted = false;
    this.gatewayBell.ring();
  }
}
