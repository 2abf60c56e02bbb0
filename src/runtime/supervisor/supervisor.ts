import { LOAD_TURN } from '../../core/machine/turn.js';
import { WaitGraph } from '../../core/sync/wait-graph.js';
import { SPARE_RINGS } from '../memory/shared-map.js';
import type { Dispatch } from '../threads/dispatch.js';
import type { Gateway } from '../threads/gateway.js';
import type { SupervisedMachine } from '../threads/machine-states.js';
import type { Pool } from './pool.js';

/** The time between two checks: long enough for a thread's writes to be seen by all. */
const CHECK_MS = 50;

/**
 * Keeps the threads at work: stops the machines in which threads hang or died, starts other threads in place of those,
 * for all other machines, and empties a stopped machine when it is removed. Threads that hang end with their machine.
 */
export class Supervisor {
  readonly #spareRings: number[];
  /** Threads that ended, whose events may still be incomplete. */
  readonly #mending = new Set<number>();

  constructor(
    readonly gateway: Gateway,
    readonly pool: Pool,
  ) {
    const { vcpuThreads } = gateway.map;
    this.#spareRings = Array.from({ length: SPARE_RINGS }, (_, spare) => vcpuThreads + spare);
  }

  // Machines

  /** Threads hang in a machine, as its design prescribes. */
  hang(machine: SupervisedMachine): void {
    this.gateway.dueWorkOf(machine.slot).close();
    machine.stoppedAt = this.gateway.machine.clock.now();
    this.#replaceStuck(machine);
  }

  /** Stops a machine whose state is unknown. */
  #freeze(machine: SupervisedMachine): void {
    const { gateway } = this;
    const wasRunning = machine.state === 'running';
    machine.enter('frozen');
    gateway.dueWorkOf(machine.slot).freeze();
    if (wasRunning) machine.stoppedAt = gateway.machine.clock.now();
    if (wasRunning) this.#replaceStuck(machine);
    // No one receives their results.
    gateway.controls.cancel(machine.slot);
  }

  /** Starts threads in place of those that hang in a machine. Other threads may block on these later: it repeats. */
  #replaceStuck(machine: SupervisedMachine): void {
    if (machine.state === 'removed') return;
    const { gateway } = this;
    if (machine.state === 'frozen') gateway.dueWorkOf(machine.slot).wakeWaiters();
    for (const thread of gateway.lockView.stuckThreads(machine.slot, machine.gone)) {
      if (!machine.stuck.has(thread) && this.#replace(thread)) machine.stuck.add(thread);
    }
    this.#later(() => this.#replaceStuck(machine));
  }

  /**
   * Ends the threads that hang in a machine, and answers its requests. Then no thread is inside. A thread that had entered
   * before the machine stopped leaves before its next round, or is found to hang as well by then.
   */
  async remove(machine: SupervisedMachine): Promise<void> {
    const { gateway } = this;
    for (let ended = -1; ended !== machine.stuck.size; ) {
      ended = machine.stuck.size;
      await Promise.all([...machine.stuck].map((thread) => this.#end(thread, machine)));
      // A thread that was ended may have blocked readers of the main counter.
      if (machine.state !== 'running') gateway.dueWorkOf(machine.slot).wakeWaiters();
      // A vCPU thread may have come for callbacks that were left for it.
      await Promise.all([new Promise<void>((done) => gateway.round(done)), gateway.barrier()]);
      while (this.#hasLoadTurn(machine.slot)) await new Promise<void>((done) => this.#later(done));
    }
    machine.enter('removed');
    gateway.states.delete(machine.slot);
    gateway.controls.cancel(machine.slot);
    for (const old of gateway.retired) if (machine.stuck.has(old.thread)) this.#freeRing(old);
    for (const thread of machine.gone) this.#release(thread);
  }

  // Threads

  /**
   * Starts threads in place of vCPU threads or the load thread that died, and of any thread that was ended because it stalled,
   * the main loop included. Freezes the machines that they were in or may have been in, and `stalledIn`; returns their slots. Undefined if no thread is left to take the place of one: requests
   * that were submitted to it then stay unanswered.
   */
  recover(deadThreads: readonly number[], stalledIn?: SupervisedMachine): number[] | undefined {
    const { gateway, pool } = this;
    const machines = new Set<SupervisedMachine>();
    let isComplete = true;
    for (const dead of deadThreads) {
      this.#bury(dead);
      gateway.host.ringAll();
      for (const machine of new Set([...this.#machinesOf(dead), ...(stalledIn ? [stalledIn] : [])])) {
        machine.gone.add(dead);
        this.#freeze(machine);
        machines.add(machine);
      }
      const vcpu = gateway.vcpus.find(({ thread }) => thread === dead);
      if (!vcpu && dead !== pool.loadThread && dead !== pool.mainLoop) continue;
      if (!this.#replace(dead)) isComplete = false;
      else if (vcpu) this.#freeRing(vcpu);
    }
    return isComplete ? [...machines].map(({ slot }) => slot) : undefined;
  }

  /**
   * A thread makes no progress in a machine: ends it as if it had died there, so that only this machine stops. False if
   * there is no such machine, or no thread is left to take the place.
   */
  async endStalled(thread: number, slot: number): Promise<boolean> {
    const machine = this.gateway.states.get(slot);
    if (!machine || !this.pool.hasSpare || !this.pool.worker(thread)) return false;
    await this.pool.end(thread);
    return this.recover([thread], machine) !== undefined;
  }

  /** The machines that a dead thread was in: that of its request or turn, and those of its locks and callbacks. */
  #machinesOf(dead: number): SupervisedMachine[] {
    const { gateway, pool } = this;
    const { all } = gateway.states;
    const held = new Set(
      gateway.lockView.slotsHeldBy(
        dead,
        all.map(({ slot }) => slot),
      ),
    );
    const index = gateway.vcpus.findIndex(({ thread }) => thread === dead);
    const current = gateway.vcpus[index]?.current?.slot;
    return all.filter(({ slot }) => {
      if (held.has(slot) || slot === current) return true;
      if (dead === pool.loadThread) return this.#hasLoadTurn(slot);
      return slot % gateway.map.vcpuThreads === index && gateway.dueWorkOf(slot).isDraining;
    });
  }

  #hasLoadTurn(slot: number): boolean {
    return this.gateway.dueWorkOf(slot).load.turn.isTaken(LOAD_TURN);
  }

  /** Ends a thread that hangs in a machine. */
  async #end(thread: number, { gone }: SupervisedMachine): Promise<void> {
    if (gone.has(thread)) return;
    gone.add(thread);
    await this.pool.end(thread);
    this.#bury(thread);
  }

  /** A thread has ended. Its number stays in use while a lock word or an event may be its own. */
  #bury(dead: number): void {
    const { gateway, pool } = this;
    pool.bury(dead);
    new WaitGraph(gateway.thread.shared, dead).withdraw();
    for (const { stuck, gone } of gateway.states.all) if (stuck.has(dead)) gone.add(dead);
    this.#mending.add(dead);
    this.#mendEvents(() => {
      gateway.host.gatewayBell.ring();
      this.#mending.delete(dead);
      this.#release(dead);
    });
  }

  #release(dead: number): void {
    if (this.#mending.has(dead) || this.gateway.states.all.some(({ gone }) => gone.has(dead))) return;
    this.pool.release(dead);
  }

  /**
   * A thread that dies while it writes an event leaves a record that is never complete, and all events behind it would
   * wait forever. No lock names the writer of a record. So this waits until it has seen each other thread write no event,
   * once each: any record that began earlier and is still incomplete then belongs to the dead thread.
   */
  #mendEvents(done: () => void): void {
    const { map, thread, host } = this.gateway;
    const end = host.events.tail();
    const unseen = new Set(this.pool.threads);
    const check = () => {
      const alive = new Set(this.pool.threads);
      for (const each of unseen) if (!alive.has(each) || !thread.shared.load(map.emitting + each)) unseen.delete(each);
      // Once more later: the end of an event may be seen before the event.
      this.#later(unseen.size > 0 ? check : finish);
    };
    const finish = () => {
      host.events.giveUp(end);
      done();
    };
    check();
  }

  /** Starts a thread in place of one that hangs or died; false if none can start. */
  #replace(thread: number): boolean {
    const index = this.gateway.vcpus.findIndex((vcpu) => vcpu.thread === thread);
    if (index >= 0) return this.#replaceVcpu(index);
    return thread === this.pool.loadThread ? this.#replaceLoad() : this.#replaceMainLoop();
  }

  #replaceMainLoop(): boolean {
    const { host, states } = this.gateway;
    if (this.pool.startReplacement({ kind: 'main-loop' }) === undefined) return false;
    // It knows of no deadline yet.
    for (const { slot } of states.all) host.kickMainLoop(slot);
    host.mainLoopBell.ring();
    return true;
  }

  #replaceLoad(): boolean {
    const { gateway, pool } = this;
    const { host, states } = gateway;
    // The machine that the old one was in is stopped: nobody waits for the turn.
    for (const { slot } of states.all) if (this.#hasLoadTurn(slot)) gateway.dueWorkOf(slot).load.turn.leave(LOAD_TURN);
    if (pool.startReplacement({ kind: 'bql-load' }) === undefined) return false;
    // The new one knows of no deadline yet.
    for (const { slot } of states.all) host.kickLoad(slot);
    host.loadBell.ring();
    return true;
  }

  #replaceVcpu(index: number): boolean {
    const { gateway, pool } = this;
    const ring = this.#spareRings.at(-1);
    if (ring === undefined) return false;
    gateway.submissionRing(ring).reset();
    const thread = pool.startReplacement({ kind: 'vcpu', index, ring });
    if (thread === undefined) return false;
    this.#spareRings.pop();
    const old = gateway.vcpus[index];
    const unanswered = old.takeUnanswered();
    gateway.vcpus[index] = gateway.dispatch(thread, ring, index);
    gateway.retired.push(old);
    for (const { slot } of gateway.states.all) gateway.host.shares.release(slot, index);
    for (const request of unanswered) gateway.submit(index, request);
    // The old thread may have cleared the marks of callbacks that it did not run.
    for (const { slot } of gateway.states.all)
      if (slot % gateway.map.vcpuThreads === index) gateway.host.kickVcpu(slot);
    return true;
  }

  /** The ring of a thread that ended can be used again once its results are delivered. */
  #freeRing(old: Dispatch): void {
    const { gateway } = this;
    if (!gateway.retired.includes(old)) return;
    if (!old.isDrained) {
      this.#later(() => this.#freeRing(old));
      return;
    }
    gateway.retired = gateway.retired.filter((each) => each !== old);
    this.#spareRings.push(old.ringIndex);
  }

  #later(again: () => void): void {
    setTimeout(again, CHECK_MS).unref();
  }
}
