import { LOAD_TURN } from '../../core/machine/turn.js';
import { WaitGraph } from '../../core/sync/wait-graph.js';
import type { Dispatch } from '../rings/dispatch.js';
import { GONE, SubmissionRing } from '../rings/submission-ring.js';
import type { Gateway } from '../threads/gateway.js';
import { SPARE_RINGS, submissionRingAt } from '../threads/shared-map.js';
import type { HungMachine } from './hung-machines.js';
import { type LostEventPorts, mendEvents } from './lost-events.js';
import type { Pool } from './pool.js';

/** Threads that replace those that hang in a machine, for all other machines. A thread that hangs ends with its machine. */
export class Replacements {
  readonly #spareRings: number[];
  /** Threads that died, whose events may still be incomplete. */
  readonly #mending = new Set<number>();

  constructor(
    readonly gateway: Gateway,
    readonly pool: Pool,
    /** The slots that have machines. */
    readonly slots: () => Iterable<number>,
  ) {
    const { vcpuThreads } = gateway.map;
    this.#spareRings = Array.from({ length: SPARE_RINGS }, (_, spare) => vcpuThreads + spare);
  }

  /** Starts a thread in place of one that hangs; returns the ring of that one, if any. Undefined if none can start. */
  replace(stuck: number): { ring?: number } | undefined {
    const index = this.gateway.vcpus.findIndex((vcpu) => vcpu.thread === stuck);
    if (index >= 0) return this.#replaceVcpu(index);
    return stuck === this.pool.loadThread ? this.#replaceLoad() : this.#replaceMainLoop();
  }

  /**
   * Replaces a vCPU thread or load thread that died, and gives up the machines that it was in or may have been in; returns their
   * slots. Undefined if no thread is left to replace it: requests that were submitted to it then stay unanswered.
   */
  bury(dead: number): number[] | undefined {
    const { gateway, pool } = this;
    pool.bury(dead);
    new WaitGraph(gateway.thread.shared, dead).withdraw();
    gateway.hung.bury(dead);
    gateway.host.ringAll();
    const index = gateway.vcpus.findIndex(({ thread }) => thread === dead);
    const slots = this.#slotsOf(dead, index);
    for (const slot of slots) {
      gateway.dueWorkOf(slot).chipset.locks.lose();
      gateway.hung.lose(slot, dead);
    }
    this.#mending.add(dead);
    mendEvents(gateway.host.events, this.#lostEventPorts(), () => {
      gateway.host.gatewayBell.ring();
      this.#mending.delete(dead);
      this.#release(dead);
    });
    if (dead === pool.loadThread) return this.#replaceLoad() && slots;
    if (index < 0) return slots;
    const old = gateway.vcpus[index];
    if (!this.#replaceVcpu(index)) return undefined;
    this.#freeRing(old);
    return slots;
  }

  /** Wakes all waiters of a frozen machine: the thread that should have woken them may be dead. */
  wake(slot: number): void {
    this.gateway.lockView.wakeWaiters(slot);
    this.gateway.dueWorkOf(slot).letGo();
  }

  /** The machines that a dead thread was in: that of its request or turn, and those of its locks and callbacks. */
  #slotsOf(dead: number, index: number): number[] {
    const { gateway } = this;
    const slots = new Set(gateway.lockView.slotsHeldBy(dead, this.slots()));
    const { vcpuThreads } = gateway.map;
    for (const slot of this.slots()) {
      if (slot % vcpuThreads === index && gateway.dueWorkOf(slot).isDraining) slots.add(slot);
    }
    if (dead === this.pool.loadThread) for (const slot of this.#slotsOfLoad()) slots.add(slot);
    const current = gateway.vcpus[index]?.current;
    if (current) slots.add(current.slot);
    const alive = new Set(this.slots());
    return [...slots].filter((slot) => alive.has(slot));
  }

  /** The machines in which the load thread has the turn. */
  #slotsOfLoad(): number[] {
    return [...this.slots()].filter((slot) => this.gateway.dueWorkOf(slot).load.turn.isTaken(LOAD_TURN));
  }

  #release(dead: number): void {
    if (!this.#mending.has(dead) && !this.gateway.hung.names(dead)) this.pool.release(dead);
  }

  #lostEventPorts(): LostEventPorts {
    const { gateway, pool } = this;
    const { map, thread, ports } = gateway;
    return {
      threads: () => pool.threads,
      isEmitting: (each) => thread.shared.load(map.emitting + each) !== 0,
      later: (again) => ports.later(again),
    };
  }

  /** The ring of a thread that died can be used again once its results are delivered. */
  #freeRing(old: Dispatch): void {
    const { gateway } = this;
    if (!old.isHandedOver) {
      gateway.ports.later(() => this.#freeRing(old));
      return;
    }
    gateway.retired = gateway.retired.filter((each) => each !== old);
    this.#spareRings.push(old.ringIndex);
  }

  #replaceMainLoop(): object | undefined {
    if (this.pool.startReplacement({ kind: 'main-loop' }) === undefined) return undefined;
    const { host } = this.gateway;
    // It knows of no deadline yet.
    for (const slot of this.slots()) host.kickMainLoop(slot);
    host.mainLoopBell.ring();
    return {};
  }

  #replaceLoad(): object | undefined {
    const { host } = this.gateway;
    // The machine that the old one was in is frozen: nobody waits for the turn.
    for (const slot of this.#slotsOfLoad()) this.gateway.dueWorkOf(slot).load.turn.leave(LOAD_TURN);
    if (this.pool.startReplacement({ kind: 'bql-load' }) === undefined) return undefined;
    // The new one knows of no deadline yet.
    for (const slot of this.slots()) host.kickLoad(slot);
    host.loadBell.ring();
    return {};
  }

  #replaceVcpu(index: number): { ring: number } | undefined {
    const { gateway } = this;
    const { map } = gateway;
    const ring = this.#spareRings.at(-1);
    if (ring === undefined) return undefined;
    new SubmissionRing(gateway.thread.shared, submissionRingAt(map, ring), map.submissions).reset();
    const thread = this.pool.startReplacement({ kind: 'vcpu', index, ring });
    if (thread === undefined) return undefined;
    this.#spareRings.pop();
    const old = gateway.vcpus[index];
    const unanswered = old.abandon();
    gateway.vcpus[index] = gateway.dispatch(thread, ring);
    gateway.retired.push(old);
    for (const request of unanswered) gateway.submit(index, request);
    // The old thread may have cleared the marks of callbacks that it did not run.
    for (const slot of this.slots()) if (slot % map.vcpuThreads === index) gateway.host.kickVcpu(slot);
    return { ring: old.ringIndex };
  }

  /**
   * Ends the threads that hang in a machine, and answers their requests. Then no thread is inside. A thread that had
   * entered before the freeze leaves before its next round, or is found to hang as well by then.
   */
  async removeHung(slot: number): Promise<void> {
    const { gateway } = this;
    const hung = gateway.hung.get(slot);
    if (!hung) return;
    for (let ended = -1; ended !== hung.threads.size; ) {
      ended = hung.threads.size;
      await Promise.all([...hung.threads].map((thread) => this.#end(thread, hung)));
      // A thread that was ended may have blocked readers of the main counter.
      gateway.dueWorkOf(slot).letGo();
      await Promise.all([new Promise<void>((done) => gateway.round(done)), gateway.barrier()]);
      await this.#loadLeft(slot);
    }
    gateway.hung.forget(slot);
    gateway.retired = gateway.retired.filter(({ ringIndex }) => !hung.rings.includes(ringIndex));
    this.#spareRings.push(...hung.rings);
    for (const request of hung.held) request.answer(GONE, 0, 0);
    for (const thread of hung.gone) this.#release(thread);
  }

  /** Resolves when the load thread is not in a frozen machine: at the end of its hold, or if it was replaced. */
  async #loadLeft(slot: number): Promise<void> {
    const { gateway } = this;
    while (gateway.dueWorkOf(slot).load.turn.isTaken(LOAD_TURN)) {
      await new Promise<void>((done) => gateway.ports.later(done));
    }
  }

  async #end(thread: number, { gone }: HungMachine): Promise<void> {
    if (gone.has(thread)) return;
    gone.add(thread);
    await this.pool.end(thread);
    new WaitGraph(this.gateway.thread.shared, thread).withdraw();
  }
}
