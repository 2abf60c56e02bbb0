import { isCluster, logicalId } from '../../core/devices/ioapic/destinations.js';
import { SouthbridgeError } from '../../errors.js';
import type { DestinationFormat } from '../../protocol/names.js';
import type { Gap, Interrupt, Intr, LineLevels } from '../../protocol/server-message.js';
import { Backlog } from '../streams/backlog.js';
import type { Drops } from '../streams/flow.js';
import type { ApicMessage, LocalApic } from './apic.js';
import type { IrqEvent } from './irq-event.js';
import { ResumeTokens } from './resume-tokens.js';

/** Codes with which the server closes a socket, beside those of RFC 6455. */
export const CLOSE_REPLACED = 4001;
export const CLOSE_MACHINE_DELETED = 4002;

/** Who is connected as a vCPU. */
export interface VcpuHolder {
  /** False if the connection is ending and cannot take it. */
  interrupt(message: Interrupt | Intr | Gap): boolean;
  close(code: number, reason: string): void;
}

/** A vCPU in a checkpoint; `resume`: hashes of its resume tokens. */
export interface SavedVcpu {
  readonly logicalId: number;
  readonly format: DestinationFormat;
  readonly resume?: string[];
}

/** One vCPU of a machine: its local APIC's address, who is connected as it, and what waits for it meanwhile. */
export class Vcpu implements LocalApic {
  /** As the last event of the machine that changed it: `devices/ioapic/destinations.ts`. */
  logicalAddress = 0;
  /** Interrupts for a vCPU that is away, in order. */
  readonly backlog: Backlog;

  readonly #tokens = new ResumeTokens();
  #holder: VcpuHolder | undefined;

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

  get logicalId(): number {
    return logicalId(this.logicalAddress);
  }

  get format(): DestinationFormat {
    return isCluster(this.logicalAddress) ? 'cluster' : 'flat';
  }

  get connected(): boolean {
    return this.#holder !== undefined;
  }

  /**
   * Throws unless a connection that shows `token`, or none, may take this vCPU now. A vCPU that nobody holds takes any: a
   * client that comes back may have the token of a server that is gone.
   */
  check(token: string | undefined): void {
    const details = { vcpu: this.vcpu, machine: this.machine };
    if (!this.#holder) return;
    if (token === undefined) throw new SouthbridgeError('vcpu-taken', details);
    if (!this.#tokens.accepts(token)) throw new SouthbridgeError('wrong-resume-token', details);
  }

  /** Takes the vCPU, from its holder if the token is valid; returns the new resume token. */
  take(holder: VcpuHolder, token: string | undefined): string {
    this.check(token);
    const old = this.#holder;
    this.#holder = holder;
    const issued = this.#tokens.issue(token);
    old?.close(CLOSE_REPLACED, 'vcpu-replaced');
    this.backlog.forgetReplies();
    return issued;
  }

  /** The holder sent something: its client has the token of its hello. */
  confirm(holder: VcpuHolder): void {
    if (this.#holder === holder) this.#tokens.confirm();
  }

  /** What a checkpoint keeps of this vCPU. */
  get saved(): SavedVcpu {
    return { logicalId: this.logicalId, format: this.format, resume: this.#tokens.saved };
  }

  /** The tokens of a checkpoint, after a restart: the former holder's token takes the vCPU over for `resumeGraceMs`. */
  restore({ resume }: SavedVcpu, resumeGraceMs: number): void {
    if (resume) this.#tokens.restore(resume, resumeGraceMs);
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

  /** The 8259 pair's output changed. It is a level: `hello` reports it to a client that connects later. */
  intr(sequence: number, level: number): void {
    this.#holder?.interrupt({ type: 'intr', sequence, level });
  }

  /** The state of the machine was replaced; the gap has the levels of the lines. */
  restored(gap: Gap): void {
    if (!this.#holder?.interrupt(gap)) this.backlog.event(gap.to, gap);
  }

  /** The machine is no more. */
  end(): void {
    this.#holder?.close(CLOSE_MACHINE_DELETED, 'machine-closing');
  }
}
