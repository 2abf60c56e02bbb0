import type { Limits } from '../../config/schema.js';
import type { IrqKind } from '../../protocol/names.js';
import type { Credit, ServerMessage } from '../../protocol/server-message.js';
import { NO_EVENT } from '../flow/backlog.js';
import type { IrqEvent } from '../service/irq-event.js';
import type { Subscriber } from '../service/machine-events.js';
import type { MachineHandle } from '../service/machine-handle.js';
import type { SavedSession, SessionRecord, Vcpu } from '../service/vcpu.js';
import { VcpuRequests } from './vcpu-requests.js';

/** The connection of a session, after its `resume`. */
export interface SessionConnection {
  /** Sends what waits in the backlog. */
  flush(): void;
  /** Sends an event, and keeps it until it is acknowledged. */
  keep(sequence: number, message: ServerMessage): void;
  /** A request was answered. */
  answered(): void;
  /** Lets messages wait until `release`. */
  hold(): void;
  release(): void;
  onFault(error: unknown): void;
}

/** The requests and subscriptions of a client of version 1.1, over all its connections: docs/protocol.md. */
export class VcpuSession implements Subscriber, SessionRecord {
  readonly requests: VcpuRequests;
  connection: SessionConnection | undefined;
  /** The last request that the state had when its epoch began; undefined if that is not known. */
  contained: number | undefined;
  readonly #kinds = new Set<IrqKind>();
  #hasEnded = false;

  constructor(
    readonly name: string,
    readonly machine: MachineHandle,
    readonly vcpu: Vcpu,
    limits: Limits,
    { request = 0, contained, kinds = [] }: Partial<SavedSession> = {},
  ) {
    this.contained = contained;
    const { requestsUnderWay } = limits;
    const ports = {
      send: (message: ServerMessage, number: number) => this.#send(message, number, requestsUnderWay),
      answered: () => this.connection?.answered(),
      hold: () => this.connection?.hold(),
      release: () => this.connection?.release(),
      subscribe: (wanted: readonly IrqKind[]) => this.#subscribe(wanted),
      onFault: (error: unknown) => this.connection?.onFault(error),
    };
    this.requests = new VcpuRequests(machine, vcpu, limits, ports, true, request);
    this.#subscribe(kinds);
  }

  get accepted(): number {
    return this.requests.replies.accepted;
  }

  get applied(): number {
    return this.requests.replies.answered;
  }

  get saved(): SavedSession {
    const { name, applied, contained } = this;
    return { name, request: applied, ...(contained !== undefined && { contained }), kinds: [...this.#kinds] };
  }

  /** Another session, or a client of version 1, follows. */
  end(): void {
    this.#hasEnded = true;
    this.connection = undefined;
    this.machine.events.subscribers.delete(this);
  }

  /** A client has at most `window` unanswered requests: with one more it has the reply to the first of these. */
  #send(message: ServerMessage, number: number, window: number): void {
    if (this.#hasEnded) return;
    const { backlog } = this.vcpu;
    backlog.reply(message.type === 'credit' ? numbered(message, number) : message, number);
    backlog.acknowledge(NO_EVENT, number - window);
    this.connection?.flush();
  }

  #subscribe(kinds: readonly IrqKind[]): void {
    if (this.#hasEnded) return;
    this.#kinds.clear();
    for (const kind of kinds) this.#kinds.add(kind);
    if (kinds.length > 0) this.machine.events.subscribers.add(this);
    else this.machine.events.subscribers.delete(this);
  }

  event(event: IrqEvent): void {
    if (!this.#kinds.has(event.kind)) return;
    if (this.connection) this.connection.keep(event.sequence, event.wire);
    else this.vcpu.backlog.event(event.sequence, event.wire);
  }

  ended(): void {
    // The vCPU closes its holder.
  }
}

function numbered(credit: Credit, request: number): Credit {
  return { ...credit, request };
}
