import type { Memory } from '../../core/memory/memory.js';
import { MAX_THREADS } from '../../core/sync/wait-graph.js';

/** What a thread waits for, if it is neither a lock nor its own doorbell. */
export const NO_WAIT = 0;
/** Room in the event ring, which only the gateway makes. */
export const RING_WAIT = 1;
/** A round of the main loop for a machine with a manual clock. */
export const SETTLE_WAIT = 2;

/** In the place of a slot. */
export const NO_MACHINE = -1;

/** Words of one thread number: how often it did something, and what it waits for. A cache line each. */
const THREAD_WORDS = 16;
const DONE = 0;
const WAIT = 1;
/** 1 + the slot of the machine that the thread is in, 0 for none. */
const MACHINE = 2;
/** What the thread is, see `Roles.begin`. */
const ROLE = 3;

/** Behind the words of the threads: turns of the gateway's timer. */
const GATEWAY_TICKS = MAX_THREADS * THREAD_WORDS;
/** The thread number of the main loop; then of each vCPU thread, and the ring that it serves. */
const MAIN_LOOP = GATEWAY_TICKS + 1;
const VCPUS = GATEWAY_TICKS + 2;

export function progressWords({ vcpuThreads }: { readonly vcpuThreads: number }): number {
  return VCPUS + 2 * vcpuThreads;
}

/** The words in which a thread shows its progress to the watchdog: plain stores of the thread itself. */
export class ThreadProgress {
  readonly #at: number;

  constructor(
    readonly memory: Memory,
    progress: number,
    thread: number,
  ) {
    this.#at = progress + thread * THREAD_WORDS;
  }

  /** The thread did something: a round, a slice, a request. */
  step(): void {
    this.memory.set(this.#at + DONE, this.memory.get(this.#at + DONE) + 1);
  }

  /** The thread enters the machine in a slot, or leaves it for `NO_MACHINE`. */
  enter(slot: number): void {
    this.memory.set(this.#at + MACHINE, slot + 1);
  }

  waits(kind: number): void {
    this.memory.store(this.#at + WAIT, kind);
  }

  get done(): number {
    return this.memory.load(this.#at + DONE);
  }

  get wait(): number {
    return this.memory.load(this.#at + WAIT);
  }

  get slot(): number {
    return this.memory.load(this.#at + MACHINE) - 1;
  }
}

/** By their number in a role word, from 1. */
const ROLE_NAMES = ['main-loop', 'bql-load', 'vcpu'] as const;
export type RoleName = (typeof ROLE_NAMES)[number];
/** A role word: bits 3:0 the role, 15:4 how many threads of that role came before, 31:16 the index of a vCPU thread. */
const GENERATION_SHIFT = 4;
const GENERATION_MASK = 0xfff;
const INDEX_SHIFT = 16;

/** Which thread has which role now: replacements take over the roles of threads that hang. The gateway writes it. */
export class Roles {
  constructor(
    readonly memory: Memory,
    readonly progress: number,
  ) {}

  /** A thread starts in a role. Its name is its own among all threads that are or were: `vcpu-0′` replaces `vcpu-0`. */
  begin(thread: number, name: RoleName, index = 0): void {
    const role = (ROLE_NAMES.indexOf(name) + 1) | (index << INDEX_SHIFT);
    const others = new Set<number>();
    for (let other = 0; other < MAX_THREADS; other++) if (other !== thread) others.add(this.#role(other));
    for (let generation = 0; generation <= MAX_THREADS; generation++) {
      const word = role | (generation << GENERATION_SHIFT);
      if (others.has(word)) continue;
      this.memory.store(this.progress + thread * THREAD_WORDS + ROLE, word);
      return;
    }
  }

  /** The name of a thread by its role; undefined if it never started. */
  nameOf(thread: number): string | undefined {
    const role = this.#role(thread);
    if (role === 0) return undefined;
    const name = ROLE_NAMES[(role & ((1 << GENERATION_SHIFT) - 1)) - 1];
    const index = name === 'vcpu' ? `-${role >>> INDEX_SHIFT}` : '';
    return `${name}${index}${'′'.repeat((role >> GENERATION_SHIFT) & GENERATION_MASK)}`;
  }

  #role(thread: number): number {
    return this.memory.load(this.progress + thread * THREAD_WORDS + ROLE);
  }

  get gatewayTicks(): number {
    return this.memory.load(this.progress + GATEWAY_TICKS);
  }

  gatewayTick(): void {
    this.memory.add(this.progress + GATEWAY_TICKS, 1);
  }

  get mainLoop(): number {
    return this.memory.load(this.progress + MAIN_LOOP);
  }

  set mainLoop(thread: number) {
    this.memory.store(this.progress + MAIN_LOOP, thread);
  }

  /** The thread of a vCPU thread's index; 0 before it starts. */
  vcpu(index: number): number {
    return this.memory.load(this.progress + VCPUS + 2 * index);
  }

  ring(index: number): number {
    return this.memory.load(this.progress + VCPUS + 2 * index + 1);
  }

  setVcpu(index: number, thread: number, ring: number): void {
    this.memory.store(this.progress + VCPUS + 2 * index, 0);
    this.memory.store(this.progress + VCPUS + 2 * index + 1, ring);
    this.memory.store(this.progress + VCPUS + 2 * index, thread);
  }
}
