import {
  type BqlLoadConfig,
  describeLocking,
  type LockingDescription,
  type MachineConfig,
  toBqlLoad,
} from '../../config/machine.js';
import { SOURCE_PIT, SOURCE_RTC } from '../../core/devices/gsi/sources.js';
import {
  CONTROL_END_STEPS,
  CONTROL_LEGACY_INPUT,
  CONTROL_PAUSE,
  CONTROL_RESET,
  CONTROL_RESUME,
} from '../../core/machine/due-work.js';
import type { MachineOptions } from '../../core/machine/machine.js';
import { MAX_TIME } from '../../core/machine/steps.js';
import { CALL_SITES } from '../../core/sync/call-sites.js';
import { SouthbridgeError } from '../../errors.js';
import type { Access } from '../../protocol/client-message.js';
import type { Gap, LineLevels } from '../../protocol/server-message.js';
import type { MachineEvent } from '../../runtime/events/event-ring.js';
import { type Completion, Request } from '../../runtime/rings/requests.js';
import * as ring from '../../runtime/rings/submission-ring.js';
import { threadName } from '../../runtime/statistics/lock-view.js';
import type { Engine } from '../../runtime/threads/engine.js';
import type { MachineSlot } from '../../runtime/threads/machine-slot.js';
import { type BatchRoom, fillResult } from '../streams/batch-results.js';
import type { Drops } from '../streams/flow.js';
import { addressed } from './apic.js';
import { History } from './history.js';
import { type IrqEvent, irqEvent } from './irq-event.js';
import { linesAfter, NO_LINES } from './lines.js';
import { Vcpu } from './vcpu.js';

/** Inputs of a machine beside its lines. */
export const INPUTS = ['pit', 'rtc', 'xen'] as const;
export type Input = (typeof INPUTS)[number];

export type MachineState = 'running' | 'paused' | 'deleting';

/** A subscriber of a machine's IRQ stream. */
export interface Subscriber {
  event(event: IrqEvent): void;
  /** The state was replaced; the gap has the levels of the lines. */
  restored?(gap: Gap): void;
  machineDeleted(): void;
}

/** One machine as the gateway sees it. */
export class MachineHandle {
  readonly name: string;
  readonly locking: LockingDescription;
  readonly vcpus: readonly Vcpu[];
  readonly slot: MachineSlot;
  readonly subscribers = new Set<Subscriber>();
  /** Allocated when the first subscriber comes. */
  #history: History | undefined;
  state: MachineState = 'running';
  /** Number of the last event. */
  sequence = 0;
  /** Level of the 8259 pair's output, which reaches vCPU 0. */
  intr = 0;
  /** Levels of the lines right after event `sequence`. */
  lines: LineLevels = NO_LINES;
  /** Milliseconds on the clock of `performance.now()`. */
  readonly madeAt = performance.now();
  /** Whether anything but time may have changed the machine since it was last kept. */
  changed = true;
  /** Why the last checkpoint could not be written; undefined if it was, or if there is no `stateDir`. */
  checkpointFailure: string | undefined;

  #bqlLoad: BqlLoadConfig;
  #draining = false;
  /** Whether a thread had died in the machine when it was last rebuilt. */
  #wasSuspect = false;

  constructor(
    readonly engine: Engine,
    readonly config: MachineConfig,
    readonly options: MachineOptions,
    pendingInterrupts: number,
    drops?: Drops,
  ) {
    this.name = config.name;
    this.#bqlLoad = config.bql.load;
    this.locking = describeLocking(options.design);
    const lines = () => this.lines;
    this.vcpus = Array.from(
      { length: config.vcpus },
      (_, n) => new Vcpu(this.name, n, pendingInterrupts, lines, drops),
    );
    this.slot = engine.slot(options.slot);
    this.slot.create(options, (event) => this.#onEvent(event));
  }

  /** Requests that are not answered yet, those that control the machine included. */
  get unanswered(): number {
    return this.slot.requests.unanswered;
  }

  /** Virtual time in ns. */
  get virtualTime(): number {
    return this.slot.virtualTime;
  }

  /** Throws `unknown-vcpu`. */
  vcpu(name: string): Vcpu {
    const vcpu = /^\d{1,4}$/.test(name) ? this.vcpus[Number(name)] : undefined;
    if (vcpu) return vcpu;
    throw new SouthbridgeError('unknown-vcpu', { machine: this.name, vcpu: name, last: this.vcpus.length - 1 });
  }

  /**
   * Throws `machine-closing` once deletion has begun, `machine-hung` if threads hang in the machine, and
   * `machine-suspect` if one died.
   */
  requireOpen(): void {
    if (!this.isOpen) throw this.gone();
  }

  /** Throws as `requireOpen`, and `shutting-down` once the server takes no more requests. */
  #requireAdmitting(): void {
    this.requireOpen();
    if (this.#draining) throw new SouthbridgeError('shutting-down');
  }

  /** Whether anything can be done with the machine. */
  get isOpen(): boolean {
    return this.state !== 'deleting' && !this.isHung;
  }

  /** Why nothing can be done with the machine. */
  gone(): SouthbridgeError {
    const details = { machine: this.name };
    if (this.state === 'deleting') return new SouthbridgeError('machine-closing', details);
    // A request that fails after the machine was rebuilt failed because of its state before.
    const isSuspect = this.isHung ? this.isSuspect : this.#wasSuspect;
    return new SouthbridgeError(isSuspect ? 'machine-suspect' : 'machine-hung', details);
  }

  /** Whether a thread died in the machine: what it left half done is unknown. */
  get isSuspect(): boolean {
    return this.slot.isSuspect;
  }

  /** Whether a deadlock was left to hang (`onDeadlock: hang`), or a thread died. */
  get isHung(): boolean {
    return this.slot.isHung;
  }

  /** Throws unless the clock can be stepped by hand now. */
  requireSteppable(): void {
    const details = { machine: this.name };
    if (this.config.clock !== 'manual') throw new SouthbridgeError('clock-not-manual', details);
    if (this.state === 'paused') throw new SouthbridgeError('machine-paused', details);
  }

  // Requests; those of one vCPU are executed and answered in order. `failureOf` tells whether one failed

  /** Throws as `requireOpen`, or `shutting-down`. */
  #perform(request: Request): void {
    this.#requireAdmitting();
    this.changed = true;
    this.slot.perform(request);
  }

  /** The same for operations that are no access. */
  #operate(vcpu: number, operation: number, address: number, value: number, done: Completion): void {
    this.#perform(new Request(this.options.slot, vcpu, operation, 0, address, value, 0, done));
  }

  access(vcpu: number, { write, address, size, low, high }: Access, done: Completion): void {
    const operation = write ? ring.WRITE : ring.READ;
    this.#perform(new Request(this.options.slot, vcpu, operation, size, address, low, high, done));
  }

  /**
   * Executes accesses at once, from the first on, until one would have to wait; returns how many. Their values are in
   * `results`; the answer has to go through `afterEvents`. Throws as `requireOpen`.
   */
  tryAccesses(vcpu: number, accesses: readonly Access[], results: BatchRoom): number {
    this.#requireAdmitting();
    const inline = this.slot.inlineFor(vcpu);
    if (!inline) return 0;
    this.changed = true;
    const { value } = inline.machine;
    let done = 0;
    for (; done < accesses.length; done++) {
      const access = accesses[done];
      if (inline.run(access.write ? ring.WRITE : ring.READ, access) !== ring.OK) break;
      fillResult(results, done, undefined, value.lo, value.hi);
    }
    // The events of these must not wait for the rest, which a vCPU thread may need long for.
    if (done > 0 && done < accesses.length) this.engine.gateway.host.gatewayBell.ring();
    return done;
  }

  /** Calls back once the events of `tryAccesses` are delivered. */
  afterEvents(vcpu: number, done: Completion): void {
    this.slot.finishBehindEvents(new Request(this.options.slot, vcpu, ring.NOTHING, 0, 0, 0, 0, done));
  }

  setLine(vcpu: number, gsi: number, level: number, done: Completion): void {
    this.#operate(vcpu, ring.SET_LINE, gsi, level, done);
  }

  /**
   * Drives an input: that of the PIT or the RTC, which the HPET cuts off in legacy mode, is control work on the main loop
   * (path C); the callback of Xen's event channel comes from a vCPU. Rejects with `no-xen-filter`.
   */
  async setInput(input: Input, level: number): Promise<void> {
    if (input === 'xen') return this.ask((done) => this.#operate(0, ring.XEN_CALLBACK, 0, level, done)).then(() => {});
    return this.#control(CONTROL_LEGACY_INPUT, (input === 'pit' ? SOURCE_PIT : SOURCE_RTC) * 2 + level);
  }

  endOfInterrupt(vcpu: number, vector: number, done: Completion): void {
    this.#operate(vcpu, ring.END_OF_INTERRUPT, 0, vector, done);
  }

  /** Reads a byte from a port, or writes `value`. */
  port(vcpu: number, port: number, value: number | undefined, done: Completion): void {
    const operation = value === undefined ? ring.PORT_READ : ring.PORT_WRITE;
    this.#perform(new Request(this.options.slot, vcpu, operation, 1, port, value ?? 0, 0, done));
  }

  /** Acknowledge cycle of the 8259 pair: the low half is the vector. */
  acknowledge(vcpu: number, done: Completion): void {
    this.#operate(vcpu, ring.INTERRUPT_ACKNOWLEDGE, 0, 0, done);
  }

  /**
   * Moves a manual clock; answers when everything that was due has run, or with `step-cancelled` if the machine is reset,
   * paused or deleted meanwhile. Throws if it cannot be moved at all.
   */
  step(vcpu: number, ns: number, done: Completion): void {
    this.requireSteppable();
    if (ns > MAX_TIME) throw this.#tooFar(ns);
    this.#operate(vcpu, ring.STEP, ns, 0, done);
  }

  /** A request as a promise of its answer. Rejects with `failureOf`. */
  ask(submit: (done: Completion) => void): Promise<Request> {
    return new Promise((resolve, reject) => {
      submit((request) => {
        const failure = this.failureOf(request);
        if (failure) reject(failure);
        else resolve(request);
      });
    });
  }

  /** Why an answered request failed; undefined if it did not. */
  failureOf({ status, address, size, low, high }: Request): SouthbridgeError | undefined {
    const machine = this.name;
    switch (status) {
      case ring.OK:
        return undefined;
      case ring.GONE:
        return this.gone();
      case ring.UNASSIGNED:
        return new SouthbridgeError('address-unassigned', { address: `0x${address.toString(16)}`, size });
      case ring.BAD_PORT:
        return new SouthbridgeError('bad-port', { port: `0x${address.toString(16)}` });
      case ring.NO_XEN_FILTER:
        return new SouthbridgeError('no-xen-filter', { machine });
      case ring.NOT_STEPPABLE:
        return this.#tooFar(address);
      case ring.CANCELLED:
        return new SouthbridgeError('step-cancelled', {
          machine,
          ns: address,
          virtualTime: String(high * 2 ** 32 + low),
        });
      default:
        return new SouthbridgeError('bql-not-held', { machine });
    }
  }

  #tooFar(ns: number): SouthbridgeError {
    return new SouthbridgeError('step-too-far', { ns, now: this.virtualTime });
  }

  /** See `MachineSlot.view`. */
  async view<T>(what: number, read: (copy: number, virtualTime: number) => T): Promise<T> {
    this.requireOpen();
    return this.slot.requests.hold(async () => {
      const view = await this.slot.view(what, read);
      if (view === undefined) throw this.gone();
      return view;
    });
  }

  /** The events after number `sequence`, of the last `limit`; from the first call on events are kept. */
  eventsAfter(sequence: number, limit: number): readonly IrqEvent[] {
    this.#history ??= new History(limit);
    return this.#history.after(sequence);
  }

  // Locks: none of this takes any

  locks() {
    const { engine, options } = this;
    return {
      locks: engine.lockView.state(options.slot),
      deferred: this.slot.deferred(),
      xen: this.#xen(),
    };
  }

  #xen() {
    const { engine } = this;
    const xen = this.slot.xen();
    if (!xen) return null;
    const { form, gsi, failures } = xen;
    return {
      form,
      gsi,
      failures: failures?.count ?? 0,
      last: failures ? { site: CALL_SITES[failures.site], thread: threadName(failures.thread, engine.map) } : null,
    };
  }

  lockOrder() {
    return this.slot.lockOrder();
  }

  deadlocks() {
    return this.engine.lockView.deadlocks(this.options.slot);
  }

  get bqlLoad(): BqlLoadConfig {
    return this.#bqlLoad;
  }

  /** Background work of the main loop under the BQL. */
  set bqlLoad(load: BqlLoadConfig) {
    this.requireOpen();
    this.#bqlLoad = load;
    this.changed = true;
    this.slot.loadBql(toBqlLoad(load));
  }

  // Control

  reset(): Promise<void> {
    return this.#control(CONTROL_RESET);
  }

  /** Stops the clock. */
  async pause(): Promise<void> {
    this.requireOpen();
    this.state = 'paused';
    await this.#control(CONTROL_PAUSE);
  }

  async resume(): Promise<void> {
    this.requireOpen();
    this.state = 'running';
    await this.#control(CONTROL_RESUME);
  }

  /** Blocks new requests, waits until none is inside the machine, and executes `work`. */
  async quiesce<T>(work: () => Promise<T>): Promise<T> {
    const { requests } = this.slot;
    this.requireOpen();
    while (requests.isBlocked) await requests.whenUnblocked();
    this.requireOpen();
    requests.block();
    try {
      await requests.whenEmpty(this.slot.hang());
      if (this.isHung) throw this.gone();
      return await work();
    } finally {
      this.#unblock();
    }
  }

  /**
   * Rebuilds the machine, in which threads hang or one died, in its place: its locks are free, and its threads are
   * ended. Admits no request until `work` is complete. If `before` rejects, the machine stays as it is. Throws
   * `machine-restored` if another request was first.
   */
  async rebuild(work: () => Promise<void>, before: () => Promise<void>): Promise<void> {
    const { requests } = this.slot;
    // The caller that quiesces the machine is about to fail.
    while (requests.isBlocked) await requests.whenUnblocked();
    if (!this.isHung) throw new SouthbridgeError('machine-restored', { machine: this.name });
    requests.block();
    try {
      await before();
      this.#wasSuspect = this.isSuspect;
      await this.slot.remake(this.options);
      if (this.state === 'paused') await this.slot.control(CONTROL_PAUSE);
      this.slot.loadBql(toBqlLoad(this.#bqlLoad));
      await work();
    } finally {
      this.#unblock();
    }
  }

  #unblock(): void {
    // A checkpoint that was taken meanwhile has none of what these requests do.
    if (this.slot.requests.unblock() > 0) this.changed = true;
  }

  /** Whether virtual time follows the host's. */
  get isTicking(): boolean {
    return this.config.clock === 'realtime' && this.state === 'running';
  }

  async #control(work: number, argument = 0): Promise<void> {
    this.requireOpen();
    this.changed = true;
    await this.slot.requests.hold(() => this.slot.control(work, argument));
    if (this.isSuspect) throw this.gone();
  }

  /** Disconnects vCPUs and subscribers. Resolves when no request is in flight and the slot can be used again. */
  async delete(): Promise<void> {
    if (this.state === 'deleting') throw this.gone();
    this.state = 'deleting';
    for (const vcpu of this.vcpus) vcpu.end();
    for (const subscriber of this.subscribers) subscriber.machineDeleted();
    // A step would keep the machine until it ends. Where threads hang, the removal answers this as well.
    if (this.config.clock === 'manual' && !this.isHung) void this.slot.control(CONTROL_END_STEPS);
    await this.#whenIdle();
    await this.slot.remove();
  }

  /** Resolves when no request is in flight, or threads hang: hung requests are answered when the machine is removed. */
  #whenIdle(): Promise<void> {
    return this.slot.requests.whenIdle(() => this.slot.hang());
  }

  /** The server ends: admits no further requests, and resolves when those in flight are answered. */
  drain(): Promise<void> {
    this.#draining = true;
    return this.#whenIdle();
  }

  // Events

  /**
   * Tells vCPUs and subscribers the levels of a state that replaced the one before. It takes a number of its own, so that a
   * subscriber who comes back later gets a gap as well: no event leads from the old levels to these.
   */
  restored(): void {
    const from = this.sequence + 1;
    this.sequence = from;
    this.#history?.clear();
    const gap: Gap = { type: 'gap', from, to: from, lines: this.lines };
    for (const subscriber of this.subscribers) subscriber.restored?.(gap);
    for (const vcpu of this.vcpus) vcpu.restored(gap);
    this.vcpus[0].intr(from, this.intr);
  }

  #onEvent(raw: MachineEvent): void {
    const event = irqEvent(raw, ++this.sequence);
    this.changed = true;
    this.lines = linesAfter(this.lines, event.wire);
    this.#history?.keep(event);
    for (const subscriber of this.subscribers) subscriber.event(event);
    if (event.intr !== undefined) {
      this.intr = event.intr;
      this.vcpus[0].intr(event.sequence, event.intr);
    }
    if (!event.message) return;
    for (const vcpu of addressed(event.message, this.vcpus)) vcpu.interrupt(event, event.message);
  }
}
