import { randomBytes, timingSafeEqual } from 'node:crypto';
import { SouthbridgeError } from '../../errors.js';
import type { DestinationFormat } from '../../protocol/names.js';
import type { Interrupt, Intr, LineLevels } from '../../protocol/server-message.js';
import type { Lane } from '../../runtime/rings/dispatch.js';
import { Backlog } from '../streams/backlog.js';
import type { Drops } from '../streams/flow.js';
import type { ApicMessage, LocalApic } from './apic.js';
import type { IrqEvent } from './irq-event.js';

/** Codes with which the server closes a socket, beside those of RFC 6455. */
export const CLOSE_REPLACED = 4001;
export const CLOSE_MACHINE_DELETED = 4002;

/** Who is connected as a vCPU. */
export interface VcpuHolder {
  /** False if the connection is ending and cannot take it. */
  interrupt(message: Interrupt | Intr): boolean;
  close(code: number, reason: string): void;
}

/** One vCPU of a machine: its local APIC's address, who is connected as it, and what waits for it meanwhile. */
export class Vcpu implements LocalApic, Lane {
  /** Requests of this vCPU that are not answered yet; they are carried out in order. */
  underWay = 0;
  logicalId = 0;
  format: DestinationFormat = 'flat';
  /** Interrupts for a vCPU that is away, in order. */
  readonly backlog: Backlog;

  #holder: VcpuHolder | undefined;
  #token = '';

  constructor(
    readonly machine: string,
    /** The vCPU's number, and its physical APIC id. */
    readonly vcpu: number,
    pendingInterrupts: number,
    lines: () => LineLevels,
    drops?: Drops,
  ) {
    this.backlog = new Backlog(pendingInterrupts, lines, drops);
  }

  get connected(): boolean {
    return this.#holder !== undefined;
  }

  /** Throws unless a connection that shows `token`, or none, may take this vCPU now. */
  check(token: string | undefined): void {
    const details = { vcpu: this.vcpu, machine: this.machine };
    if (token !== undefined && !this.#isToken(token)) throw new SouthbridgeError('wrong-resume-token', details);
    if (token === undefined && this.#holder) throw new SouthbridgeError('vcpu-taken', details);
  }

  #isToken(token: string): boolean {
    const given = Buffer.from(token);
    const own = Buffer.from(this.#token);
    return own.length > 0 && given.length === own.length && timingSafeEqual(given, own);
  }

  /** Takes the vCPU, from its holder if the token is the right one; returns the new resume token. */
  take(holder: VcpuHolder, token: string | undefined): string {
    this.check(token);
    const old = this.#holder;
    this.#holder = holder;
    this.#token = randomBytes(24).toString('base64url');
    old?.close(CLOSE_REPLACED, 'vcpu-replaced');
    this.backlog.forgetReplies();
    return this.#token;
  }

  /** The holder is gone; another one may have taken over before. */
  leave(holder: VcpuHolder): void {
    if (this.#holder !== holder) return;
    this.#holder = undefined;
    this.backlog.forgetReplies();
  }

  interrupt({ sequence }: IrqEvent, message: ApicMessage): void {
    const interrupt: Interrupt = { type: 'interrupt', sequence, message };
    if (!this.#holder?.interrupt(interrupt)) this.backlog.event(sequence, interrupt);
  }

  /** The 8259 pair's output changed. It is a level: whoever connects later is told of it by `hello`. */
  intr({ sequence }: IrqEvent, level: number): void {
    this.#holder?.interrupt({ type: 'intr', sequence, level });
  }

  /** The machine is no more. */
  end(): void {
    this.#holder?.close(CLOSE_MACHINE_DELETED, 'machine-closing');
  }
}
