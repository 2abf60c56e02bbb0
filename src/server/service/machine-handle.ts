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
} from '../../core/machine/control-path.js';
import type { MachineOptions } from '../../core/machine/machine.js';
import { MAX_TIME } from '../../core/machine/steps.js';
import { CALL_SITES } from '../../core/sync/call-sites.js';
import { SouthbridgeError } from '../../errors.js';
import type { Access } from '../../protocol/client-message.js';
import type { Gap, LineLevels } from '../../protocol/server-message.js';
import type { MachineEvent } from '../../runtime/events/event-ring.js';
import type { Completion } from '../../runtime/rings/dispatch.js';
import * as ring from '../../runtime/rings/submission-ring.js';
import { threadName } from '../../runtime/statistics/lock-view.js';
import type { Engine } from '../../runtime/threads/engine.js';
import { type Answer, promised } from '../streams/answer.js';
import { type BatchRoom, fillResult } from '../streams/batch-results.js';
import type { Drops } from '../streams/flow.js';
import { addressed } from './apic.js';
import { Gate } from './gate.js';
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
  readonly #gate = new Gate();
  #draining = false;
  /** Whether a thread had died in the machine when it was last made anew. */
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
    engine.createMachine(options, (event) => this.#onEvent(event));
  }

  /** Requests that are not answered yet, those that control the machine included. */
  get requestsUnderWay(): number {
    return this.#gate.underWay;
  }

  /** Virtual time in ns. */
  get virtualTime(): number {
    return this.engine.virtualTime(this.options.slot);
  }

  /** Throws `unknown-vcpu`. */
  vcpu(name: string): Vcpu {
    const vcpu = /^\d{1,4}$/.test(name) ? this.vcpus[Number(name)] : undefined;
    if (vcpu) return vcpu;
    throw new SouthbridgeError('unknown-vcpu', { machine: this.name, vcpu: name, last: this.vcpus.length - 1 });
  }

  /**
   * Throws `machine-closing` once deletion has begun, `machine-hung` where threads hang in the machine for ever, and
   * `machine-suspect` where one died.
   */
  requireOpen(): void {
    if (!this.isOpen) throw this.gone();
  }

  /** Throws as `requireOpen`, and `shutting-down` once the server takes no more requests. */
  #requireTaking(): void {
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
    // Whoever is told after the machine was made anew is told of what was before.
    const isSuspect = this.isHung ? this.isSuspect : this.#wasSuspect;
    return new SouthbridgeError(isSuspect ? 'machine-suspect' : 'machine-hung', details);
  }

  /** Whether a thread died in the machine: what it left half done is unknown. */
  get isSuspect(): boolean {
    return this.engine.isSuspect(this.options.slot);
  }

  /** Whether a deadlock was left to hang (`onDeadlock: hang`), or a thread died. */
  get isHung(): boolean {
    return this.engine.isHung(this.options.slot);
  }

  /** Throws unless the clock can be stepped by hand now. */
  requireSteppable(): void {
    const details = { machine: this.name };
    if (this.config.clock !== 'manual') throw new SouthbridgeError('clock-not-manual', details);
    if (this.state === 'paused') throw new SouthbridgeError('machine-paused', details);
  }

  // Requests; those of one vCPU are carried out and answered in order

  access(vcpu: number, { write, address, size, low, high }: Access, answer: Answer): void {
    this.#submit(
      vcpu,
      write ? ring.WRITE : ring.READ,
      size,
      address,
      low,
      high,
      answer,
      (status, lowRead, highRead) => {
        if (status === ring.OK) answer(undefined, lowRead, highRead);
        else answer(new SouthbridgeError('address-unassigned', { address: `0x${address.toString(16)}`, size }), 0, 0);
      },
    );
  }

  /**
   * Carries out accesses at once, from the first on, until something stands in the way of one; returns how many. What they
   * read is in `results`; the answer has to go through `afterEvents`. Throws as `requireOpen`.
   */
  tryAccesses(vcpu: number, accesses: readonly Access[], results: BatchRoom): number {
    this.#requireTaking();
    if (this.#gate.isClosed) return 0;
    this.changed = true;
    const { gateway, machine } = this.engine;
    const inline = gateway.inlineFor(this.options.slot, this.vcpus[vcpu]);
    if (!inline) return 0;
    const { value } = machine;
    let done = 0;
    for (; done < accesses.length; done++) {
      const { write, address, size, low, high } = accesses[done];
      if (inline.run(write ? ring.WRITE : ring.READ, size, address, low, high) !== ring.OK) break;
      fillResult(results, done, undefined, value.lo, value.hi);
    }
    // The events of these must not wait for the rest, which a vCPU thread may need long for.
    if (done > 0 && done < accesses.length) gateway.host.gatewayBell.ring();
    return done;
  }

  /** Answers what `tryAccesses` has done, once the events that it caused are handed over; it is under way until then. */
  afterEvents(answer: () => void): void {
    this.#gate.begin();
    this.engine.gateway.afterEvents(() => {
      answer();
      this.#gate.end();
    });
  }

  setLine(vcpu: number, gsi: number, level: number, answer: Answer): void {
    this.#submit(vcpu, ring.SET_LINE, 0, gsi, level, 0, answer, () => answer(undefined, 0, 0));
  }

  /**
   * Drives an input: that of the PIT or the RTC, which the HPET cuts off in legacy mode, is control work on the main loop
   * (path C); the callback of Xen's event channel comes from a vCPU. Rejects with `no-xen-filter`.
   */
  async setInput(input: Input, level: number): Promise<void> {
    if (input === 'xen') return promised((answer) => this.#setXenCallback(level, answer)).then(() => {});
    return this.#control(CONTROL_LEGACY_INPUT, (input === 'pit' ? SOURCE_PIT : SOURCE_RTC) * 2 + level);
  }

  #setXenCallback(level: number, answer: Answer): void {
    this.#submit(0, ring.XEN_CALLBACK, 0, 0, level, 0, answer, (status) =>
      answer(status === ring.OK ? undefined : new SouthbridgeError('no-xen-filter', { machine: this.name }), 0, 0),
    );
  }

  endOfInterrupt(vcpu: number, vector: number, answer: Answer): void {
    this.#submit(vcpu, ring.END_OF_INTERRUPT, 0, 0, vector, 0, answer, () => answer(undefined, 0, 0));
  }

  /** Reads a byte from a port, or writes `value`. */
  port(vcpu: number, port: number, value: number | undefined, answer: Answer): void {
    const operation = value === undefined ? ring.PORT_READ : ring.PORT_WRITE;
    this.#submit(vcpu, operation, 1, port, value ?? 0, 0, answer, (status, low) => {
      if (status === ring.OK) answer(undefined, low, 0);
      else answer(new SouthbridgeError('bad-port', { port: `0x${port.toString(16)}` }), 0, 0);
    });
  }

  /** Acknowledge cycle of the 8259 pair: the low half is the vector. */
  acknowledge(vcpu: number, answer: Answer): void {
    this.#submit(vcpu, ring.INTERRUPT_ACKNOWLEDGE, 0, 0, 0, 0, answer, (_status, low) => answer(undefined, low, 0));
  }

  /**
   * Moves a manual clock; answers when all that came due has run, or with `step-cancelled` if the machine is reset, paused
   * or deleted meanwhile. Throws if it cannot be moved at all.
   */
  step(vcpu: number, ns: number, answer: Answer): void {
    this.requireSteppable();
    if (ns > MAX_TIME) throw this.#tooFar(ns);
    this.#submit(vcpu, ring.STEP, 0, ns, 0, 0, answer, (status, low, high) => {
      if (status === ring.OK) answer(undefined, 0, 0);
      else answer(status === ring.CANCELLED ? this.#cancelled(ns, high * 2 ** 32 + low) : this.#tooFar(ns), 0, 0);
    });
  }

  #cancelled(ns: number, virtualTime: number): SouthbridgeError {
    return new SouthbridgeError('step-cancelled', {
      machine: this.name,
      ns,
      virtualTime: String(virtualTime),
    });
  }

  #tooFar(ns: number): SouthbridgeError {
    return new SouthbridgeError('step-too-far', { ns, now: this.virtualTime });
  }

  /** See `Engine.view`. */
  async view<T>(what: number, read: (copy: number, virtualTime: number) => T): Promise<T> {
    this.requireOpen();
    this.#gate.begin();
    try {
      const view = await this.engine.view(this.#threadOf(0), this.options.slot, what, read);
      if (view === undefined) throw this.gone();
      return view;
    } finally {
      this.#gate.end();
    }
  }

  #submit(
    vcpu: number,
    operation: number,
    size: number,
    address: number,
    low: number,
    high: number,
    answer: Answer,
    completion: Completion,
  ): void {
    this.#requireTaking();
    this.#gate.begin();
    const submit = () => this.#enter(vcpu, operation, size, address, low, high, answer, completion);
    this.#gate.pass(submit);
  }

  #enter(
    vcpu: number,
    operation: number,
    size: number,
    address: number,
    low: number,
    high: number,
    answer: Answer,
    completion: Completion,
  ): void {
    if (this.isSuspect) {
      answer(this.gone(), 0, 0);
      this.#gate.end();
      return;
    }
    this.#gate.enter();
    this.changed = true;
    const { slot } = this.options;
    const finish: Completion = (status, lowRead, highRead) => {
      this.#gate.leave();
      if (status === ring.GONE) answer(this.gone(), 0, 0);
      else if (status === ring.FAILED) answer(new SouthbridgeError('bql-not-held', { machine: this.name }), 0, 0);
      else completion(status, lowRead, highRead);
      this.#gate.end();
    };
    const lane = this.vcpus[vcpu];
    this.engine.gateway.perform(this.#threadOf(vcpu), slot, operation, size, address, low, high, finish, lane);
  }

  #threadOf(vcpu: number): number {
    return vcpu % this.engine.map.vcpuThreads;
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
      deferred: engine.deferred(options.slot),
      xen: this.#xen(),
    };
  }

  #xen() {
    const { engine } = this;
    const xen = engine.xen(this.options.slot);
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
    return this.engine.lockOrder(this.options.slot);
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
    this.engine.loadBql(this.options.slot, toBqlLoad(load));
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

  /** Waits until nobody is in the machine, and lets nobody in until `work` is done. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const gate = this.#gate;
    this.requireOpen();
    while (gate.isClosed) await gate.opened();
    this.requireOpen();
    gate.close();
    try {
      await gate.emptied(this.engine.hang(this.options.slot));
      if (this.isHung) throw this.gone();
      return await work();
    } finally {
      gate.open();
    }
  }

  /**
   * Makes the machine, in which threads hang or one died, anew in its place: its locks are free, and its threads are
   * ended. Admits no request until `work` is complete. If `before` rejects, the machine stays as it is. Throws
   * `machine-restored` if another request was first.
   */
  async anew(work: () => Promise<void>, before: () => Promise<void>): Promise<void> {
    const gate = this.#gate;
    // Whoever is alone in the machine is about to fail.
    while (gate.isClosed) await gate.opened();
    if (!this.isHung) throw new SouthbridgeError('machine-restored', { machine: this.name });
    gate.close();
    try {
      await before();
      this.#wasSuspect = this.isSuspect;
      const { engine, options } = this;
      await engine.remakeMachine(options);
      if (this.state === 'paused') await engine.control(options.slot, CONTROL_PAUSE);
      engine.loadBql(options.slot, toBqlLoad(this.#bqlLoad));
      await work();
    } finally {
      gate.open();
    }
  }

  /** Whether virtual time follows the host's. */
  get isTicking(): boolean {
    return this.config.clock === 'realtime' && this.state === 'running';
  }

  async #control(work: number, argument = 0): Promise<void> {
    this.requireOpen();
    this.changed = true;
    this.#gate.begin();
    try {
      await this.engine.control(this.options.slot, work, argument);
      if (this.isSuspect) throw this.gone();
    } finally {
      this.#gate.end();
    }
  }

  /** Tells everyone who is connected, and resolves when nothing is under way and the slot can be used again. */
  async delete(): Promise<void> {
    if (this.state === 'deleting') throw this.gone();
    this.state = 'deleting';
    for (const vcpu of this.vcpus) vcpu.end();
    for (const subscriber of this.subscribers) subscriber.machineDeleted();
    // A step would keep the machine until it ends. Where threads hang, the removal answers this as well.
    if (this.config.clock === 'manual' && !this.isHung) void this.engine.control(this.options.slot, CONTROL_END_STEPS);
    await this.#whenIdle();
    await this.engine.removeMachine(this.options.slot);
  }

  /** Resolves when nothing is under way, or threads hang: what hangs is answered when the machine is removed. */
  #whenIdle(): Promise<void> {
    return this.#gate.idle(() => this.engine.hang(this.options.slot));
  }

  /** The server ends: takes no more requests, and resolves when those under way are answered. */
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
