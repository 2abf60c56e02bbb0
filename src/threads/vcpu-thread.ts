import { Machine } from '../machine/machine.js';
import { copyState } from '../machine/view.js';
import type { Memory } from '../memory/memory.js';
import { U64 } from '../memory/u64.js';
import type { Thread } from '../sync/thread.js';
import { ThreadHost } from './host.js';
import { FIRST_VCPU_THREAD, type SharedMap, viewBufferAt } from './shared-map.js';
import * as ring from './submission-ring.js';

/** A vCPU thread: takes one request after the other from its ring and runs it on the machine that it names. */
export class VcpuThread {
  readonly machine: Machine;
  readonly #host: ThreadHost;
  readonly #value = new U64();

  constructor(
    readonly thread: Thread,
    memory: Memory,
    readonly map: SharedMap,
    readonly submissions: ring.SubmissionRing,
  ) {
    this.#host = new ThreadHost(thread.shared, map);
    this.machine = new Machine(memory, thread, this.#host);
  }

  /** Takes, runs and answers one request; false if it was the one to stop. */
  step(): boolean {
    const request = this.submissions.take();
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
    const { machine } = this;
    machine.select(request.machine);
    switch (request.operation) {
      case ring.READ:
        return machine.read(request.address, request.size) ? ring.OK : ring.UNASSIGNED;
      case ring.WRITE:
        if (!machine.write(request.address, request.size, this.#value.set(request.low, request.high)))
          return ring.UNASSIGNED;
        break;
      case ring.SET_LINE:
        machine.setLine(request.address, request.low);
        break;
      case ring.END_OF_INTERRUPT:
        machine.endOfInterrupt(request.low);
        break;
      case ring.STEP:
        return machine.step(request.address) ? ring.OK : ring.NOT_STEPPABLE;
      case ring.VIEW:
        copyState(machine, request.address, viewBufferAt(this.map, this.thread.id - FIRST_VCPU_THREAD));
        return ring.OK;
    }
    // With a manual clock the answer tells that everything it caused has happened.
    machine.settle();
    return ring.OK;
  }
}
