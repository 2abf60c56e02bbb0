import { isCluster, logicalId } from '../../core/devices/ioapic/destinations.js';
import { SouthbridgeError } from '../../errors.js';
import { jsonClientCodec } from '../../protocol/json/client-codec.js';
import { serverText } from '../../protocol/json/server-text.js';
import type { DestinationFormat, IrqKind } from '../../protocol/names.js';
import type { Gap, Interrupt, Intr, LineLevels, Restored, ServerMessage } from '../../protocol/server-message.js';
import { Backlog, NO_EVENT } from '../flow/backlog.js';
import type { Drops } from '../flow/flow.js';
import type { ApicMessage, LocalApic } from './apic.js';
import type { IrqEvent } from './irq-event.js';
import { ResumeTokens } from './resume-tokens.js';

/** Codes with which the server closes a socket, beside those of RFC 6455. */
export const CLOSE_REPLACED = 4001;
export const CLOSE_MACHINE_DELETED = 4002;
/** RFC 6455, 7.4.1: the client may connect again. */
const GOING_AWAY = 1001;

/** With what the connections of a machine are closed. */
export interface MachineEnd {
  readonly code: number;
  readonly reason: 'machine-closing' | 'machine-moved';
}

export const DELETED: MachineEnd = { code: CLOSE_MACHINE_DELETED, reason: 'machine-closing' };
export const MOVED: MachineEnd = { code: GOING_AWAY, reason: 'machine-moved' };

/** Who is connected as a vCPU. */
export interface VcpuHolder {
  /** False if the connection is ending and cannot take it. */
  interrupt(message: Interrupt | Intr | Gap): boolean;
  /** Whether it keeps what it was sent: version 1.1. */
  readonly hasSession: boolean;
  /** Sends what waits in the backlog. */
  flush(): void;
  close(code: number, reason: string): void;
}

/** A session in a checkpoint: the number of its last request that was answered, and its subscriptions. */
export interface SavedSession {
  readonly name: string;
  readonly request: number;
  /** The last request that the state had when its epoch began. */
  readonly contained?: number;
  readonly kinds: IrqKind[];
}

/** What a client of version 1.1 has of a vCPU beyond its connections. */
export interface SessionRecord {
  readonly name: string;
  /** Number of its last request that was accepted, and of the last that was answered. */
  readonly accepted: number;
  readonly applied: number;
  contained: number | undefined;
  readonly saved: SavedSession;
  end(): void;
}

/** A vCPU in a checkpoint; `resume`: hashes of its resume tokens. */
export interface SavedVcpu {
  readonly logicalId: number;
  readonly format: DestinationFormat;
  readonly resume?: string[];
  readonly session?: SavedSession;
  /** What its client has not acknowledged, or not seen: messages in the text form, replies with the number of their request. */
  readonly kept?: SavedMessage[];
}

export interface SavedMessage {
  readonly request?: number;
  readonly message: string;
}

/** Of a machine right after its latest event: the lines, and the output of the 8259 pair. */
export interface Levels {
  readonly lines: LineLevels;
  readonly intr: number;
}

/** One vCPU of a machine: its local APIC's address, who is connected as it, and what waits for it meanwhile. */
export class Vcpu implements LocalApic {
  /** As the last event of the machine that changed it: `devices/ioapic/destinations.ts`. */
  logicalAddress = 0;
  /** Interrupts for a vCPU that is away, in order. */
  readonly backlog: Backlog;
  /** Of the last client, if it speaks version 1.1. */
  session: SessionRecord | undefined;
  /** Whether the state is older than every session and connection that the vCPU had. */
  isOlder = false;

  readonly #tokens = new ResumeTokens();
  #holder: VcpuHolder | undefined;

  constructor(
    readonly machine: string,
    /** The vCPU's number, and its physical APIC id. */
    readonly vcpu: number,
    pendingInterrupts: number,
    levels: () => Levels,
    drops?: Drops,
  ) {
    const intr = vcpu === 0 ? () => levels().intr : undefined;
    this.backlog = new Backlog(pendingInterrupts, () => levels().lines, intr, drops);
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
    if (!holder.hasSession) this.#forgetSession();
    return issued;
  }

  /** A client of version 1 gets what waits for its vCPU: interrupts. The level of INTR is in its hello. */
  #forgetSession(): void {
    this.session?.end();
    this.session = undefined;
    this.isOlder = false;
    this.backlog.retains = false;
    this.backlog.forgetReplies();
    this.backlog.rewind(NO_EVENT, 0);
    this.backlog.filterEvents(isForAny);
  }

  /** A new session begins: it gets the interrupts that no application has taken, and later events than its hello. */
  begin(session: SessionRecord, after: number): void {
    this.session?.end();
    this.session = session;
    this.isOlder = false;
    this.backlog.retains = true;
    this.backlog.forgetReplies();
    this.backlog.rewind(NO_EVENT, 0);
    this.backlog.filterEvents((message) => isForAny(message) || (message.type === 'intr' && message.sequence > after));
  }

  /** The holder sent something: its client has the token of its hello. */
  confirm(holder: VcpuHolder): void {
    if (this.#holder === holder) this.#tokens.confirm();
  }

  /** What a checkpoint keeps of this vCPU; `isLast`: with events, which are of use only if nothing happens after it. */
  saved(isLast: boolean): SavedVcpu {
    const wanted = this.backlog.kept.filter(({ request }) => isLast || request !== undefined);
    const kept = wanted.map(({ request, message }) => ({
      ...(request !== undefined && { request }),
      message: serverText(message),
    }));
    return {
      logicalId: this.logicalId,
      format: this.format,
      resume: this.#tokens.saved,
      ...(this.session && { session: this.session.saved }),
      ...(kept.length > 0 && { kept }),
    };
  }

  /** Makes what a checkpoint kept wait for the client: only the replies, unless the state goes on where it ended. */
  keep(saved: readonly SavedMessage[], isSameEpoch: boolean): void {
    for (const { request, message: text } of saved) {
      const message = jsonClientCodec.decode(text);
      if (request !== undefined) this.backlog.reply(message, request);
      else if (isSameEpoch) this.backlog.event(sequenceOf(message), message);
    }
  }

  /** The tokens of a checkpoint, after a restart: the former holder's token takes the vCPU over for `resumeGraceMs`. */
  restore({ resume }: SavedVcpu, resumeGraceMs: number): void {
    if (resume) this.#tokens.restore(resume, resumeGraceMs);
  }

  /** The holder is gone; another one may have taken over before. */
  leave(holder: VcpuHolder): void {
    if (this.#holder !== holder) return;
    this.#holder = undefined;
    if (!this.session) this.backlog.forgetReplies();
  }

  interrupt({ sequence }: IrqEvent, message: ApicMessage): void {
    const interrupt: Interrupt = { type: 'interrupt', sequence, message };
    if (!this.#holder?.interrupt(interrupt)) this.backlog.event(sequence, interrupt);
  }

  /** The 8259 pair's output changed. It is a level: `hello` reports it to a client that connects later, without a session. */
  intr(sequence: number, level: number): void {
    const intr: Intr = { type: 'intr', sequence, level };
    if (!this.#holder?.interrupt(intr) && this.session) this.backlog.event(sequence, intr);
  }

  /** The state of the machine was replaced; the gap has the levels of the lines. */
  restored(gap: Gap, restored: Restored): void {
    if (this.session) {
      this.session.contained = this.session.applied;
      this.backlog.replaceEvents(gap.to, { ...restored, request: this.session.applied });
      this.#holder?.flush();
      return;
    }
    this.isOlder = false;
    if (!this.#holder?.interrupt(gap)) this.backlog.event(gap.to, gap);
    if (restored.intr !== undefined) this.intr(gap.to, restored.intr);
  }

  /** The machine is no more, or not here. */
  end({ code, reason }: MachineEnd): void {
    this.#holder?.close(code, reason);
  }
}

/** Whether it is for whichever client comes next, whatever the client before subscribed to. */
function isForAny({ type }: ServerMessage): boolean {
  return type === 'interrupt' || type === 'gap';
}

function sequenceOf(message: ServerMessage): number {
  if (message.type === 'gap') return message.to;
  return 'sequence' in message ? message.sequence : 0;
}
