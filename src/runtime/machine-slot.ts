import type { AssertionFailures, XenOptions } from '../core/devices/gsi/xen-filter.js';
import type { StaleUpdate } from '../core/locking/line-decisions.js';
import type { BqlLoadOptions } from '../core/machine/bql-load.js';
import { CONTROL_REMOVE } from '../core/machine/control-path.js';
import type { DueWork } from '../core/machine/due-work.js';
import type { Machine, MachineOptions } from '../core/machine/machine.js';
import { copyStopped } from '../core/machine/view.js';
import { MACHINE_WORDS } from '../core/memory/map.js';
import type { MachineEvent } from './events/event-ring.js';
import { machineAt, viewBufferAt } from './memory/shared-map.js';
import type { SerialQueue } from './promises.js';
import { type MachineRequests, NONE, Request } from './rings/requests.js';
import { GONE, VIEW } from './rings/submission-ring.js';
import type { InversionReport, LockEdge } from './statistics/lock-view.js';
import type { Supervisor } from './supervisor/supervisor.js';
import type { Gateway } from './threads/gateway.js';
import type { InlineExecution } from './threads/inline.js';
import type { TraceView } from './trace/trace-view.js';

/** The vCPU thread that copies state for views. */
const VIEW_THREAD = 0;

/** What the slots of an engine share. */
export interface SlotParts {
  readonly gateway: Gateway;
  readonly supervisor: Supervisor;
  readonly traces: TraceView;
  /** Views and transfers of state: one at a time of each, because all machines share the memory for them. */
  readonly serial: SerialQueue<'view' | 'transfer'>;
}

/** One slot of an engine, and the machine in it. Each call selects this machine by itself. */
export class MachineSlot {
  /** Takes the events of the machine; undefined while the slot is free. The event object is used again. */
  events: ((event: MachineEvent) => void) | undefined;
  readonly requests: MachineRequests;

  constructor(
    readonly slot: number,
    readonly parts: SlotParts,
  ) {
    this.requests = parts.gateway.newRecord(slot);
  }

  /** The machine's objects. They stay at this machine until another one is selected. */
  get machine(): Machine {
    const { gateway } = this.parts;
    gateway.dueWorkOf(this.slot);
    return gateway.machine;
  }

  get #due(): DueWork {
    return this.parts.gateway.dueWorkOf(this.slot);
  }

  // The machine itself

  /** Makes a machine in the slot, which is free. */
  create(options: MachineOptions, events: (event: MachineEvent) => void): void {
    const { gateway, traces } = this.parts;
    const base = machineAt(gateway.map, this.slot);
    const { memory } = gateway.machine;
    memory.select(base);
    for (let word = 0; word < MACHINE_WORDS; word++) memory.store(word, 0);
    this.events = events;
    gateway.states.add(this.slot);
    gateway.lockView.begin(this.slot);
    gateway.host.events.shares?.begin(this.slot);
    traces.begin(this.slot);
    gateway.machine.create(base, options);
    if (options.load?.duty) this.#runLoad();
  }

  /**
   * Frees the slot: resolves when the main loop has dropped the machine and all its events are delivered. The caller
   * made sure that no request to it is in flight.
   */
  async remove(): Promise<void> {
    if (!this.isHung) await this.control(CONTROL_REMOVE);
    await this.#empty();
    this.events = undefined;
  }

  /** Makes a machine in which threads hang or died as new; those threads are ended first. */
  async remake(options: MachineOptions): Promise<void> {
    await this.#empty();
    if (this.events) this.create(options, this.events);
  }

  async #empty(): Promise<void> {
    const { gateway, supervisor } = this.parts;
    const machine = gateway.states.get(this.slot);
    if (machine) await supervisor.remove(machine);
  }

  // Requests

  /** Performs a request to the machine, which is answered behind its events. */
  perform(request: Request): void {
    this.requests.admit(request);
  }

  /** See `Gateway.inlineFor`; undefined also while requests are blocked. */
  inlineFor(vcpu: number): InlineExecution | undefined {
    return this.requests.isBlocked ? undefined : this.parts.gateway.inlineFor(this.slot, this.requests, vcpu);
  }

  /** Answers a request whose work was executed by `inlineFor`, once its events are delivered. */
  finishBehindEvents(request: Request): void {
    this.requests.admitCompleted(request);
    this.parts.gateway.finishBehindEvents(request);
  }

  /** Asks the main loop for control work. Resolves when it is complete and all events that it caused are delivered. */
  control(work: number, argument = 0): Promise<void> {
    return new Promise((done) => this.parts.gateway.controls.request(this.slot, work, argument, done));
  }

  /**
   * Control work that exchanges the state of the machine in shared memory, for one machine at a time: `before` may write
   * it there and `after` read it, at this absolute word address (`machine/saved-state.ts`; the time lies in its first
   * two words). The caller quiesces the machine for that time. False if threads hang in the machine.
   */
  transfer(work: number, argument: number, before: (at: number) => void, after: (at: number) => void) {
    const { gateway, serial } = this.parts;
    return serial.run('transfer', async () => {
      before(gateway.map.transfer);
      await Promise.race([this.control(work, argument), this.hang()]);
      if (this.isHung) {
        // The main loop may still use that memory, and so will the next transfer.
        await new Promise<void>((done) => gateway.round(done));
        return false;
      }
      after(gateway.map.transfer);
      return true;
    });
  }

  /**
   * Copies the state of part of the machine (`machine/view.ts`) without changing anything that a guest sees. `read` is
   * called with the absolute word address of the copy, which is valid until it returns, and the virtual time in ns.
   * Undefined if threads hang in the machine.
   */
  view<T>(what: number, read: (copy: number, virtualTime: number) => T): Promise<T | undefined> {
    const { gateway, serial } = this.parts;
    return serial.run(
      'view',
      () =>
        new Promise<T | undefined>((resolve, reject) => {
          const request = new Request(this.slot, NONE, VIEW, 0, what, 0, 0, ({ status, low, high }) => {
            try {
              resolve(status === GONE ? undefined : read(viewBufferAt(gateway.map, VIEW_THREAD), high * 2 ** 32 + low));
            } catch (error) {
              reject(error);
            }
          });
          gateway.submit(VIEW_THREAD, request);
        }),
    );
  }

  /** The same of a machine that is hung or frozen, as it was when that happened; undefined of another. Takes no lock. */
  lastView<T>(what: number, read: (copy: number, virtualTime: number) => T): Promise<T | undefined> {
    const { gateway, serial } = this.parts;
    return serial.run('view', async () => {
      if (!this.isHung) return undefined;
      const copy = viewBufferAt(gateway.map, VIEW_THREAD);
      copyStopped(this.machine, what, copy);
      return read(copy, gateway.states.get(this.slot)?.stoppedAt ?? 0);
    });
  }

  // Threads that hang

  /** Resolves when threads have come to hang in the machine, or one died in it. */
  hang(): Promise<void> {
    return this.parts.gateway.states.get(this.slot)?.stopped ?? new Promise(() => {});
  }

  /** Whether threads hang indefinitely in the machine (`onDeadlock: hang`), or one died in it. */
  get isHung(): boolean {
    const { state } = this.parts.gateway.states.get(this.slot) ?? {};
    return state === 'hung' || state === 'frozen';
  }

  /** Whether a thread died in the machine. */
  get isSuspect(): boolean {
    return this.parts.gateway.states.get(this.slot)?.state === 'frozen';
  }

  // What needs no lock

  /** Virtual time in ns. */
  get virtualTime(): number {
    return this.machine.clock.now();
  }

  /** Orders in which locks were taken, and which of them could deadlock. */
  lockOrder(): { edges: LockEdge[]; inversions: InversionReport[] } {
    const { lockView } = this.parts.gateway;
    const { memory } = this.machine;
    return { edges: lockView.order(memory), inversions: lockView.inversions(this.slot, memory) };
  }

  /** Deferred line changes so far, and the last that were stale when they were applied. */
  deferred(): { total: number; late: number; inverted: number; stale: StaleUpdate[] } {
    const { decisions } = this.machine.chipset;
    return { ...decisions.counts(), stale: decisions.staleUpdates() };
  }

  /** The machine's Xen filter, with its failed assertions. */
  xen(): (XenOptions & { failures: AssertionFailures | undefined }) | undefined {
    const { xen } = this.machine.chipset;
    return xen.options && { ...xen.options, failures: xen.failures() };
  }

  /** Changes the background work of the main loop under the BQL. */
  loadBql(load: BqlLoadOptions): void {
    this.#due.load.configure(load);
    this.#runLoad();
  }

  /** The load thread starts with the first load. The main loop, which may have the turn, lets it in. */
  #runLoad(): void {
    const { gateway, supervisor } = this.parts;
    // If the thread cannot start, the engine reports its death.
    supervisor.pool.startLoad().catch(() => {});
    this.#due.requestRound();
    gateway.host.kickLoad(this.slot);
  }
}
