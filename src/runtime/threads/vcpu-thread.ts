import { type DueWork, STEP_CANCELLED, STEP_PENDING, STEP_REFUSED } from '../../core/machine/due-work.js';
import { Machine } from '../../core/machine/machine.js';
import { MAX_TIME } from '../../core/machine/steps.js';
import { copyState } from '../../core/machine/view.js';
import type { Memory } from '../../core/memory/memory.js';
import { U64 } from '../../core/memory/u64.js';
import type { Thread } from '../../core/sync/thread.js';
import type { EventShares } from '../events/event-shares.js';
import { bitmapWords, drainsAt, machineAt, type SharedMap, viewBufferAt } from '../memory/shared-map.js';
import * as ring from '../rings/submission-ring.js';
import { ThreadHost } from './host.js';

/** A vCPU thread: runs the requests of its ring one after the other, and callbacks that the main loop left for it. */
export class VcpuThread {
  readonly machine: Machine;
  readonly due: DueWork;
  readonly #host: ThreadHost;
  readonly #shares: EventShares;
  readonly #value = new U64();

  constructor(
    readonly thread: Thread,
    memory: Memory,
    readonly map: SharedMap,
    /** Which of the vCPU threads this is, from 0. */
    readonly index: number,
    readonly submissions: ring.SubmissionRing,
  ) {
    this.#host = new ThreadHost(thread.shared, map);
    this.#shares = this.#host.shares;
    this.machine = new Machine(memory, thread, this.#host);
    this.due = this.machine.due;
  }

  /** Does one thing, or sleeps until there is one; false if it was asked to stop. */
  step(): boolean {
    this.#host.progress?.step();
    const request = this.submissions.take();
    if (request) return this.#answer(request);
    if (this.#drain()) return true;
    const bell = this.#host.vcpuBells[this.index];
    const rings = bell.prepareToSleep();
    if (this.submissions.hasRequest() || this.#hasDrains()) {
      bell.wake();
      return true;
    }
    this.thread.statistics.sleeps();
    bell.sleep(rings);
    this.thread.statistics.wakes();
    return true;
  }

  #answer(request: ring.Submission): boolean {
    if (request.operation === ring.STOP) return false;
    this.machine.value.set(0, 0);
    const status = this.#run(request);
    const { value } = this.machine;
    this.submissions.complete(status, value.lo, value.hi, this.#host.events.tail());
    this.#host.events.emitted = false;
    this.#host.gatewayBell.ring();
    return true;
  }

  #run(request: ring.Submission): number {
    // Of no machine.
    if (request.operation === ring.NOTHING) return ring.OK;
    this.machine.select(request.machine);
    this.#host.progress?.enter(this.machine.chipset.slot);
    // Views change nothing, and the gateway does not send them.
    if (request.operation !== ring.VIEW && !this.#host.mayAct) return ring.NO_LEASE;
    if (this.#isHeld(request.operation)) return ring.HELD;
    try {
      return this.#perform(request);
    } catch (error) {
      this.machine.chipset.breakOff(error, 0);
      this.due.settle();
      return ring.FAILED;
    }
  }

  /** Whether a request must not run yet: then no later one of its machine does, until the gateway submits both again. */
  #isHeld(operation: number): boolean {
    const { slot } = this.machine.chipset;
    if (this.#shares.holds(slot, this.index)) return true;
    if (ring.isSilent(operation) || this.#host.events.hasRoom(slot)) return false;
    this.#shares.hold(slot, this.index);
    return true;
  }

  #perform(request: ring.Submission): number {
    const { machine, due } = this;
    if (!machine.isAlive) return ring.GONE;
    switch (request.operation) {
      case ring.READ: {
        const isAssigned = machine.read(request.address, request.size);
        // Whom a dead writer of the main counter held up was let go, once the machine was frozen, with any value.
        if (!machine.isAlive) return ring.GONE;
        return isAssigned ? ring.OK : ring.UNASSIGNED;
      }
      case ring.WRITE:
        if (!machine.write(request.address, request.size, this.#value.set(request.low, request.high))) {
          return ring.UNASSIGNED;
        }
        break;
      case ring.SET_LINE:
        machine.setLine(request.address, request.low);
        break;
      case ring.END_OF_INTERRUPT:
        machine.endOfInterrupt(request.low);
        break;
      case ring.SET_LOGICAL_ADDRESS:
        machine.setLogicalAddress(request.address, request.low);
        break;
      case ring.STEP:
        return this.#stepped(due.step(request.address, request.low !== 0));
      case ring.CONTINUE_STEP:
        return this.#stepped(due.continueStep(request.address, request.low));
      case ring.VIEW:
        copyState(machine, request.address, viewBufferAt(this.map, this.index));
        return ring.OK;
      case ring.PORT_READ: {
        const value = machine.portRead(request.address);
        if (value === undefined) return ring.BAD_PORT;
        machine.value.set(value, 0);
        break;
      }
      case ring.PORT_WRITE:
        if (!machine.portWrite(request.address, request.low)) return ring.BAD_PORT;
        break;
      case ring.XEN_CALLBACK:
        if (!machine.setXenCallback(request.low)) return ring.NO_XEN_FILTER;
        break;
      case ring.INTERRUPT_ACKNOWLEDGE:
        machine.value.set(machine.acknowledgeInterrupt(), 0);
        break;
    }
    // With a manual clock the answer tells that everything it caused has happened.
    if (due.settle()) return ring.OK;
    this.#shares.hold(machine.chipset.slot, this.index);
    return ring.UNSETTLED;
  }

  /**
   * The status of a step; one that is pending leaves in its record what continues it. One that is complete leaves the time it
   * reached, and as its value the next deadline, or 0.
   */
  #stepped(outcome: number): number {
    const { value } = this.machine;
    const { target, cancels, reached, next } = this.due.steps;
    switch (outcome) {
      case STEP_REFUSED:
        return ring.NOT_STEPPABLE;
      case STEP_PENDING:
        this.submissions.readdress(target);
        value.set(cancels, 0);
        return ring.STEPPING;
      case STEP_CANCELLED:
        value.setNumber(reached);
        return ring.CANCELLED;
      default:
        this.submissions.readdress(target);
        value.setNumber(next <= MAX_TIME ? next : 0);
        return ring.OK;
    }
  }

  /** Runs the callbacks that wait for this thread, a slice per machine; false if there were none. */
  #drain(): boolean {
    const { shared } = this.thread;
    const first = drainsAt(this.map, this.index);
    let drained = false;
    for (let word = 0; word < bitmapWords(this.map); word++) {
      if (shared.load(first + word) === 0) continue;
      // Cleared before the machine is looked at: what comes later sets it again.
      let bits = shared.exchange(first + word, 0);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits);
        bits &= ~(1 << bit);
        const slot = word * 32 + bit;
        this.machine.select(machineAt(this.map, slot));
        this.#host.progress?.enter(slot);
        if (this.#host.mayAct && this.due.drainKicks()) this.#host.kickVcpu(slot);
        drained = true;
      }
    }
    if (drained) this.#host.publish();
    return drained;
  }

  #hasDrains(): boolean {
    const first = drainsAt(this.map, this.index);
    for (let word = 0; word < bitmapWords(this.map); word++) {
      if (this.thread.shared.load(first + word) !== 0) return true;
    }
    return false;
  }
}
