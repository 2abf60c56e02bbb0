import { type BqlLoadConfig, type MachineConfig, toBqlLoad } from '../../config/machine.js';
import { type DesignDescription, describeDesign } from '../../core/locking/presets.js';
import { CONTROL_END_STEPS, CONTROL_PAUSE, CONTROL_RESET, CONTROL_RESUME } from '../../core/machine/control-path.js';
import type { MachineOptions } from '../../core/machine/machine.js';
import { SouthbridgeError } from '../../errors.js';
import type { Engine } from '../../runtime/engine.js';
import type { MachineSlot } from '../../runtime/machine-slot.js';
import type { Completion, Request } from '../../runtime/rings/requests.js';
import * as ring from '../../runtime/rings/submission-ring.js';
import type { InlineExecution } from '../../runtime/threads/inline.js';
import type { Drops } from '../flow/flow.js';
import { TurnBudget } from '../flow/turn-budget.js';
import { MachineEvents } from './machine-events.js';
import { DELETED, type MachineEnd, MOVED, Vcpu } from './vcpu.js';

export type MachineState = 'running' | 'paused' | 'deleting';

const ALWAYS = () => true;

/** One machine as the gateway sees it. */
export class MachineHandle {
  readonly name: string;
  readonly locking: DesignDescription;
  readonly vcpus: readonly Vcpu[];
  readonly slot: MachineSlot;
  readonly events: MachineEvents;
  state: MachineState = 'running';
  /** Milliseconds on the clock of `performance.now()`. */
  readonly madeAt = performance.now();
  /** Of the sockets of its vCPUs. */
  readonly turnBudget = new TurnBudget();
  /** Whether anything but time may have changed the machine since it was last kept. */
  changed = true;
  /** Why the last checkpoint could not be written; undefined if it was, or if there is no `stateDir`. */
  checkpointFailure: string | undefined;
  /** Whether anything of the machine may be sent: in a cluster, as long as this node has its lease. */
  maySend: () => boolean = ALWAYS;
  /** How a thread stalled in it, which made it suspect. */
  stall: string | undefined;

  #bqlLoad: BqlLoadConfig;
  #draining = false;
  /** Whether another node of the cluster has the machine from now on. */
  #isMoved = false;
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
    this.locking = describeDesign(options.design);
    const levels = () => this.events;
    this.vcpus = Array.from(
      { length: config.vcpus },
      (_, n) => new Vcpu(this.name, n, pendingInterrupts, levels, drops),
    );
    this.slot = engine.slot(options.slot);
    this.events = new MachineEvents(this.vcpus);
    this.slot.create(options, (event) => {
      this.changed = true;
      this.events.take(event);
    });
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

  /** Whether the server takes no more requests. */
  get isDraining(): boolean {
    return this.#draining;
  }

  /** Whether anything can be done with the machine. */
  get isOpen(): boolean {
    return this.state !== 'deleting' && !this.#isMoved && !this.isHung;
  }

  /** Why nothing can be done with the machine. */
  gone(): SouthbridgeError {
    const details = { machine: this.name };
    if (this.#isMoved) return new SouthbridgeError('machine-moved', details);
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

  // Requests: `guest-requests.ts` makes them

  /** Admits a request. Throws as `requireOpen`, or `shutting-down`. */
  perform(request: Request): void {
    this.#requireAdmitting();
    this.changed = true;
    this.slot.perform(request);
  }

  /** See `MachineSlot.inlineFor`. Throws as `perform`. */
  inlineFor(vcpu: number): InlineExecution | undefined {
    this.#requireAdmitting();
    const inline = this.slot.inlineFor(vcpu);
    if (inline) this.changed = true;
    return inline;
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
    // Whatever was executed here since then is of no effect.
    if (this.#isMoved) return this.gone();
    switch (status) {
      case ring.OK:
        return undefined;
      case ring.GONE:
        return this.gone();
      case ring.NO_LEASE:
        return new SouthbridgeError('lease-lost');
      case ring.UNASSIGNED:
        return new SouthbridgeError('address-unassigned', { address: `0x${address.toString(16)}`, size });
      case ring.BAD_PORT:
        return new SouthbridgeError('bad-port', { port: `0x${address.toString(16)}` });
      case ring.NO_XEN_FILTER:
        return new SouthbridgeError('no-xen-filter', { machine });
      case ring.NOT_STEPPABLE:
        return this.tooFar(address);
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

  tooFar(ns: number): SouthbridgeError {
    return new SouthbridgeError('step-too-far', { ns, now: this.virtualTime });
  }

  /** See `MachineSlot.view`; of a machine that hangs or is suspect, its last state. */
  async view<T>(what: number, read: (copy: number, virtualTime: number) => T): Promise<T> {
    if (!this.isHung) {
      this.requireOpen();
      const view = await this.slot.requests.hold(() => this.slot.view(what, read));
      if (view !== undefined) return view;
    }
    const last = this.state === 'deleting' ? undefined : await this.slot.lastView(what, read);
    if (last === undefined) throw this.gone();
    return last;
  }

  // Control: by the main loop

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

  reset(): Promise<void> {
    return this.control(CONTROL_RESET);
  }

  /** Stops the clock. */
  async pause(): Promise<void> {
    this.requireOpen();
    this.state = 'paused';
    await this.control(CONTROL_PAUSE);
  }

  /** For a moment, or at the end of the server: the machine does not show as paused. Returns also if threads hang. */
  async stopClock(): Promise<void> {
    if (this.isTicking) await Promise.race([this.slot.control(CONTROL_PAUSE), this.slot.hang()]);
  }

  async startClock(): Promise<void> {
    await Promise.race([this.slot.control(CONTROL_RESUME), this.slot.hang()]);
  }

  async resume(): Promise<void> {
    this.requireOpen();
    this.state = 'running';
    await this.control(CONTROL_RESUME);
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
      const logicalAddresses = this.vcpus.map((vcpu) => vcpu.logicalAddress);
      await this.slot.remake({ ...this.options, logicalAddresses });
      this.stall = undefined;
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

  /** Control work on the main loop (path C). Throws as `requireOpen`. */
  async control(work: number, argument = 0): Promise<void> {
    this.requireOpen();
    this.changed = true;
    await this.slot.requests.hold(() => this.slot.control(work, argument));
    if (this.isSuspect) throw this.gone();
  }

  /**
   * Disconnects vCPUs and subscribers, who may connect again if the machine moves to another node. Resolves when no request is
   * in flight and the slot can be used again.
   */
  async delete(moves = false): Promise<void> {
    if (this.state === 'deleting') throw this.gone();
    this.state = 'deleting';
    if (moves) this.moved();
    else this.#end(DELETED);
    // A step would keep the machine until it ends. Where threads hang, the removal answers this as well.
    if (this.config.clock === 'manual' && !this.isHung) void this.slot.control(CONTROL_END_STEPS);
    await this.#whenIdle();
    await this.slot.remove();
  }

  /** Another node has the machine from now on: disconnects its clients, and nothing that was not answered before counts. */
  moved(): void {
    if (this.#isMoved) return;
    this.#isMoved = true;
    this.#end(MOVED);
  }

  #end(end: MachineEnd): void {
    for (const vcpu of this.vcpus) vcpu.end(end);
    for (const subscriber of this.events.subscribers) subscriber.ended(end);
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
}
