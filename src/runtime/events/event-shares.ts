import type { Memory } from '../../core/memory/memory.js';

/**
 * Half of the room is divided equally among all machines. Of the other half a machine may use more than its part: one
 * undelivered event for so many records that are free there. So the first of many busy machines leaves most to the others.
 */
const FREE_PER_EVENT = 8;

/** Words of a machine, on two cache lines: how many events its threads emitted, and how many the gateway delivered. */
const EMITTED = 0;
const DELIVERED = 16;
/** From here on a bit per vCPU thread: it holds requests back for lack of room. */
const HELD = 1;
const MACHINE_WORDS = 32;

function bitmapWords(machines: number): number {
  return Math.ceil(machines / 32);
}

export function eventShareWords(machines: number): number {
  return machines * MACHINE_WORDS + bitmapWords(machines);
}

/**
 * What each machine uses of the event ring, so that none takes the room of others. It also has the machines whose due
 * work is deferred, or whose requests are held back, until the gateway has delivered some of their events.
 */
export class EventShares {
  constructor(
    readonly memory: Memory,
    readonly address: number,
    readonly machines: number,
  ) {}

  /** A new machine is in the slot. A thread that died in the last one may have emitted what is never delivered. */
  begin(machine: number): void {
    const { memory } = this;
    const at = this.#at(machine);
    memory.store(at + DELIVERED, memory.load(at + EMITTED));
    for (let word = at + HELD; word < at + DELIVERED; word++) memory.store(word, 0);
  }

  /** A thread of the machine emits an event. */
  emits(machine: number): void {
    this.memory.add(this.#at(machine) + EMITTED, 1);
  }

  /** The gateway, which alone calls this, delivers an event. */
  delivers(machine: number): void {
    const { memory } = this;
    memory.store(this.#at(machine) + DELIVERED, memory.load(this.#at(machine) + DELIVERED) + 1);
  }

  /** Whether a machine may emit, with `used` undelivered events of all machines in a room of so many records. */
  allows(machine: number, used: number, room: number): boolean {
    const half = room >> 1;
    // No machine has more undelivered events than all together.
    if (FREE_PER_EVENT * used <= half - used) return true;
    const { memory, machines } = this;
    const at = this.#at(machine);
    const own = (memory.load(at + EMITTED) - memory.load(at + DELIVERED)) | 0;
    return own <= 0 || own * machines < half || FREE_PER_EVENT * own <= half - used;
  }

  /** Whether a vCPU thread holds requests of a machine back. */
  holds(machine: number, vcpuThread: number): boolean {
    return (this.memory.load(this.#held(machine, vcpuThread)) & (1 << (vcpuThread & 31))) !== 0;
  }

  /** A vCPU thread holds requests of a machine back. */
  hold(machine: number, vcpuThread: number): void {
    this.memory.or(this.#held(machine, vcpuThread), 1 << (vcpuThread & 31));
  }

  /** A vCPU thread, which has no requests of the machine left, is to hold none back any more. */
  release(machine: number, vcpuThread: number): void {
    if (this.holds(machine, vcpuThread)) this.memory.add(this.#held(machine, vcpuThread), -(1 << (vcpuThread & 31)));
  }

  /** Defers the due work of a machine. */
  defer(machine: number): void {
    this.memory.or(this.#deferred(machine >> 5), 1 << (machine & 31));
  }

  /** Calls `resume` for each machine whose due work was deferred. */
  resume(resume: (machine: number) => void): void {
    for (let word = 0; word < bitmapWords(this.machines); word++) {
      if (this.memory.load(this.#deferred(word)) === 0) continue;
      const bits = this.memory.exchange(this.#deferred(word), 0);
      for (let bit = 0; bit < 32; bit++) if (bits & (1 << bit)) resume(word * 32 + bit);
    }
  }

  #deferred(word: number): number {
    return this.address + this.machines * MACHINE_WORDS + word;
  }

  #held(machine: number, vcpuThread: number): number {
    return this.#at(machine) + HELD + (vcpuThread >> 5);
  }

  #at(machine: number): number {
    return this.address + machine * MACHINE_WORDS;
  }
}
