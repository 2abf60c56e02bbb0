import { Worker } from 'node:worker_threads';
import { loadedDesigns } from '../../core/locking/own-design.js';
import { SharedMemory } from '../../core/memory/shared-memory.js';
import { Roles } from '../memory/progress.js';
import { FIRST_VCPU_THREAD, LOAD_THREAD, MAIN_LOOP_THREAD, type SharedMap } from '../memory/shared-map.js';
import { ThreadStatistics } from '../statistics/thread-statistics.js';
import type { WorkerData, WorkerRole } from '../threads/worker.js';

/** These threads allocate next to nothing: room for more would only be memory that stays with them. */
const RESOURCES = { maxYoungGenerationSizeMb: 2 };

/**
 * The worker threads of a process, by number. Numbers beyond those of the first threads are for replacements: a thread
 * that hangs keeps its own, because lock words name it.
 */
export class Pool {
  readonly #workers = new Map<number, Worker>();
  readonly #spare: number[] = [];
  /** Threads that ended and are still named somewhere. */
  readonly #buried = new Set<number>();
  /** For the watchdog. */
  readonly #roles: Roles;
  #closing = false;
  /** The number of the main loop's thread. */
  mainLoop = MAIN_LOOP_THREAD;
  /** The number of the load thread, once it was started. */
  loadThread: number | undefined;

  constructor(
    readonly buffer: SharedArrayBuffer,
    readonly map: SharedMap,
    /** Called for a thread that ended by itself; `ran`, unless it never began. */
    readonly onDeath: (thread: number, role: WorkerRole, reason: unknown, ran: boolean) => void,
  ) {
    this.#roles = new Roles(new SharedMemory(buffer), map.progress);
    for (let id = LOAD_THREAD - 1; id >= FIRST_VCPU_THREAD + map.vcpuThreads; id--) this.#spare.push(id);
  }

  /** Numbers of the threads that exist. */
  get threads(): number[] {
    return [...this.#workers.keys()];
  }

  /** Whether there is a number for another thread. */
  get hasSpare(): boolean {
    return !this.#closing && this.#spare.length > 0;
  }

  worker(thread: number): Worker | undefined {
    return this.#workers.get(thread);
  }

  startMainLoop(): Promise<void> {
    return this.#start(MAIN_LOOP_THREAD, { kind: 'main-loop' });
  }

  startVcpu(index: number): Promise<void> {
    return this.#start(FIRST_VCPU_THREAD + index, { kind: 'vcpu', index, ring: index });
  }

  /** Starts the load thread, if it was not started before. */
  async startLoad(): Promise<void> {
    if (this.loadThread !== undefined) return;
    this.loadThread = LOAD_THREAD;
    await this.#start(LOAD_THREAD, { kind: 'bql-load' });
  }

  /** Starts a thread in place of one that hangs; returns its number, or undefined if no number is left. */
  startReplacement(role: WorkerRole): number | undefined {
    const thread = this.#closing ? undefined : this.#spare.pop();
    if (thread === undefined) return undefined;
    if (role.kind === 'bql-load') this.loadThread = thread;
    if (role.kind === 'main-loop') this.mainLoop = thread;
    this.#start(thread, role).catch(() => {});
    return thread;
  }

  /** Ends a thread at any point of its execution. */
  async end(thread: number): Promise<void> {
    const worker = this.#workers.get(thread);
    this.#workers.delete(thread);
    await worker?.terminate();
  }

  /** Forgets a thread that ended. Its number is not used again before `release`: lock words name it. */
  bury(thread: number): void {
    this.#workers.delete(thread);
    this.#buried.add(thread);
    new ThreadStatistics(this.buffer, this.map, thread).sleeps();
  }

  /** No lock word names a buried thread any longer: its number can be used again, unless it is that of a first thread. */
  release(thread: number): void {
    const isSpare = thread >= FIRST_VCPU_THREAD + this.map.vcpuThreads && thread !== LOAD_THREAD;
    if (this.#buried.delete(thread) && isSpare) this.#spare.push(thread);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#workers.values()].map((worker) => worker.terminate()));
  }

  #start(thread: number, role: WorkerRole): Promise<void> {
    const workerData: WorkerData = { buffer: this.buffer, map: this.map, thread, role, designs: loadedDesigns() };
    const worker = new Worker(new URL('../threads/worker.js', import.meta.url), {
      workerData,
      execArgv: [],
      resourceLimits: RESOURCES,
    });
    this.#workers.set(thread, worker);
    this.#roles.begin(thread, role.kind, role.kind === 'vcpu' ? role.index : 0);
    if (role.kind === 'main-loop') this.#roles.mainLoop = thread;
    else if (role.kind === 'vcpu') this.#roles.setVcpu(role.index, thread, role.ring);
    return new Promise((resolve, reject) => {
      let failure: unknown;
      let ran = false;
      worker.once('online', () => {
        ran = true;
        resolve();
      });
      worker.once('error', (error) => {
        failure = error;
      });
      worker.once('exit', (code) => {
        failure ??= new Error(`thread ${thread} ended with code ${code}`);
        reject(failure);
        if (!this.#closing && this.#workers.get(thread) === worker) this.onDeath(thread, role, failure, ran);
      });
    });
  }
}
