import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Limits } from '../../config/schema.js';
import { SouthbridgeError } from '../../errors.js';
import type { Acknowledged, ClientMessage, Resume } from '../../protocol/client-message.js';
import { type Codec, RefusedFrame } from '../../protocol/codec.js';
import { codecOf } from '../../protocol/codecs.js';
import { isRequest } from '../../protocol/messages.js';
import type { IrqKind } from '../../protocol/names.js';
import type { Gap, Interrupt, Intr, ServerHello, ServerMessage } from '../../protocol/server-message.js';
import { hasSessions, isBinary } from '../../protocol/subprotocols.js';
import { NO_EVENT } from '../flow/backlog.js';
import type { Flow, Flowing } from '../flow/flow.js';
import type { Place } from '../service/cluster-port.js';
import type { IrqEvent } from '../service/irq-event.js';
import { restoredMessage, type Subscriber } from '../service/machine-events.js';
import type { MachineHandle } from '../service/machine-handle.js';
import { CLOSE_REPLACED, type Vcpu, type VcpuHolder } from '../service/vcpu.js';
import { capabilitiesOf, narrow, PROTOCOL_VERSION } from './agreement.js';
import { Inbox } from './inbox.js';
import { Outbox } from './outbox.js';
import { RateLimiter } from './rate-limiter.js';
import { SmallFrames } from './small-frames.js';
import { SocketPeer } from './socket-peer.js';
import { VcpuRequests } from './vcpu-requests.js';
import { VcpuSession } from './vcpu-session.js';

/** One connection of a vCPU: docs/protocol.md. */
export class VcpuSocket implements VcpuHolder, Subscriber, Flowing {
  readonly kind = 'vcpu';
  readonly hasSession: boolean;
  readonly #codec: Codec;
  readonly #outbox: Outbox;
  readonly #capabilities: readonly string[];
  readonly #kinds = new Set<IrqKind>();
  readonly #rateLimiter: RateLimiter;
  readonly #hello: ServerHello;
  /** Those of the session, once it is resumed; before, those of a connection that is refused. */
  #requests: VcpuRequests;
  #session: VcpuSession | undefined;
  readonly #inbox: Inbox;
  #paused = false;
  #heard = false;

  /** Takes the vCPU. Throws as `Vcpu.check`, after it has attached its handlers. */
  constructor(
    readonly socket: WebSocket,
    readonly machine: MachineHandle,
    readonly vcpu: Vcpu,
    readonly limits: Limits,
    readonly flow: Flow,
    token: string | undefined,
    readonly onFault: (error: unknown) => void,
    /** Under the socket. */
    stream: Duplex,
    /** In a cluster. */
    readonly place?: Place,
  ) {
    this.hasSession = hasSessions(socket.protocol);
    this.#codec = codecOf(socket.protocol);
    this.#capabilities = capabilitiesOf(machine.config.clock);
    this.#outbox = new Outbox(
      new SocketPeer(socket, stream),
      this.#codec,
      vcpu.backlog,
      limits.bufferedBytes,
      (congested) => this.#onCongestion(congested),
      () => machine.maySend(),
      this.hasSession,
    );
    this.#requests = new VcpuRequests(machine, vcpu, limits, {
      send: (message) => this.#outbox.send(message),
      answered: () => this.answered(),
      hold: () => this.hold(),
      release: () => this.release(),
      subscribe: (kinds) => this.#subscribe(kinds),
      onFault,
    });
    this.#rateLimiter = new RateLimiter(limits.framesPerSecond, () => this.#regulate());
    this.#inbox = new Inbox(
      machine.turnBudget,
      (data, isBinary, from, end) => this.#handle(data, isBinary, from, end),
      () => this.#regulate(),
    );
    socket.on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary, 0, (data as Buffer).length));
    if (isBinary(socket.protocol)) {
      SmallFrames.read(socket, limits.frameBytes, (chunk, from, end) => this.#onMessage(chunk, true, from, end));
    }
    socket.on('close', () => this.#onClose());
    const resumeToken = vcpu.take(this, token);
    machine.changed = true;
    this.#hello = this.#greeting(resumeToken);
    this.#outbox.send(this.#hello);
    if (!this.hasSession) this.#outbox.flush();
    flow.connections.add(this);
  }

  #greeting(resumeToken: string): ServerHello {
    const { machine, vcpu, limits } = this;
    return {
      type: 'hello',
      version: PROTOCOL_VERSION,
      machine: machine.name,
      vcpu: vcpu.vcpu,
      clock: machine.config.clock,
      resumeToken,
      sequence: machine.events.sequence,
      ...(vcpu.vcpu === 0 && { intr: machine.events.intr }),
      capabilities: this.#capabilities,
      credit: limits.requestsUnderWay,
      ...(this.hasSession && this.#sessionFields()),
      ...this.place,
    };
  }

  #sessionFields() {
    const { session, isOlder } = this.vcpu;
    const { epoch } = this.machine.events.origin;
    if (session) return { epoch, session: session.name, request: session.accepted };
    return { epoch, ...(isOlder && { request: 0 }) };
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  get congested(): boolean {
    return this.#outbox.congested;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get pendingEvents(): number {
    return this.vcpu.backlog.events;
  }

  #onCongestion(congested: boolean): void {
    if (congested) this.flow.congestions.vcpu++;
    this.#regulate();
  }

  // From the machine

  interrupt(message: Interrupt | Intr | Gap): boolean {
    return this.#outbox.event(message.type === 'gap' ? message.to : message.sequence, message);
  }

  event(event: IrqEvent): void {
    if (this.#kinds.has(event.kind)) this.#outbox.event(event.sequence, event.wire);
  }

  flush(): void {
    this.#outbox.flush();
  }

  keep(sequence: number, message: ServerMessage): void {
    this.#outbox.event(sequence, message);
  }

  close(code: number, reason: string): void {
    this.machine.events.subscribers.delete(this);
    this.socket.close(code, reason);
  }

  ended(): void {
    // The vCPU closes its holder.
  }

  #onClose(): void {
    this.#rateLimiter.stop();
    this.flow.connections.delete(this);
    this.machine.events.subscribers.delete(this);
    if (this.#session?.connection === this) this.#session.connection = undefined;
    this.vcpu.leave(this);
  }

  // From the client

  #onMessage(data: Buffer, isBinary: boolean, from: number, end: number): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (!this.#heard) {
      this.#heard = true;
      this.vcpu.confirm(this);
    }
    this.#rateLimiter.count();
    this.#inbox.push(data, isBinary, from, end);
    this.#regulate();
  }

  #handle(data: Buffer, isBinary: boolean, from: number, end: number): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    // A request that is not accepted now comes again on the next connection.
    if (this.hasSession && this.machine.isDraining) return;
    let id: number | undefined;
    try {
      const message = this.#read(data, isBinary, from, end);
      id = isRequest(message) ? message.id : undefined;
      this.#perform(message);
    } catch (error) {
      if (error instanceof RefusedFrame) this.#requests.refuse(error.id, error.error);
      else this.#requests.refuse(id, error);
    }
  }

  #read(data: Buffer, isBinary: boolean, from: number, end: number): ClientMessage {
    const { frameBytes } = this.limits;
    if (end - from > frameBytes) throw new SouthbridgeError('frame-too-large', { limit: frameBytes });
    return this.#codec.decode(data, isBinary, from, end);
  }

  /** Throws, before anything is done, what is wrong with the message. */
  #perform(message: ClientMessage): void {
    if (this.hasSession) this.machine.changed = true;
    if (message.type === 'resume') {
      this.#resume(message);
      return;
    }
    if (this.hasSession && !this.#session) throw new SouthbridgeError('resume-first', { type: message.type });
    if (isRequest(message)) {
      if (message.ack) this.#acknowledge(message.ack);
      if (message.type === 'hello') this.#agree(message.id, message.version, message.capabilities);
      else this.#requests.perform(message);
    } else this.#acknowledge(message);
  }

  #acknowledge({ event, reply }: Acknowledged): void {
    this.vcpu.backlog.acknowledge(event, reply);
    this.#outbox.flush();
  }

  /** In a session a hello has no number, and so its reply is not kept. */
  #agree(id: number, version: number, wishes: readonly string[]): void {
    const agreement = narrow(version, wishes, this.#capabilities);
    const agree = () => {
      this.#requests.credit.enabled = agreement.capabilities.includes('credit');
      return { type: 'reply', id, agreement } as const;
    };
    if (this.#session) this.#outbox.send(agree());
    else this.#requests.replies.perform(agree);
  }

  #resume(message: Resume): void {
    if (this.#session) throw new SouthbridgeError('resume-first', { type: 'resume' });
    const { vcpu, machine, limits } = this;
    const { origin } = machine.events;
    const isFirst = message.epoch === '';
    const isSame = message.epoch === origin.epoch;
    const isKnown = !isFirst && vcpu.session?.name === message.session;
    if (isSame && !isKnown) {
      this.close(CLOSE_REPLACED, 'vcpu-replaced');
      return;
    }
    const session = isKnown ? (vcpu.session as VcpuSession) : new VcpuSession(message.session, machine, vcpu, limits);
    const intr = isKnown ? origin.intr : machine.events.intr;
    const contained = isKnown ? session.contained : this.#hello.request;
    // Those of a state that was replaced are gone already.
    if (isKnown) vcpu.backlog.rewind(isSame ? message.event : NO_EVENT, message.reply);
    else vcpu.begin(session, isFirst ? this.#hello.sequence : machine.events.sequence);
    this.#session = session;
    this.#requests = session.requests;
    session.connection = this;
    if (session.requests.isHolding) this.#inbox.hold();
    if (isFirst ? this.#hello.epoch !== origin.epoch : !isSame) {
      this.#outbox.send(restoredMessage({ ...origin, intr }, vcpu.vcpu, contained));
    }
    this.#outbox.isReady = true;
    this.#outbox.flush();
  }

  #subscribe(kinds: readonly IrqKind[]): void {
    this.#kinds.clear();
    for (const kind of kinds) this.#kinds.add(kind);
    if (kinds.length > 0) this.machine.events.subscribers.add(this);
    else this.machine.events.subscribers.delete(this);
  }

  answered(): void {
    if (this.#paused) this.#regulate();
  }

  /** Frames that come behind a batch wait for its last part. */
  hold(): void {
    this.#inbox.hold();
  }

  release(): void {
    this.#inbox.release();
  }

  /** Stops reading while too many requests are in flight, the client reads too slowly, or it sends too fast. */
  #regulate(): void {
    const { requestsUnderWay } = this.limits;
    const { length } = this.#requests.replies;
    const busy = this.#paused ? length > requestsUnderWay / 2 : length >= requestsUnderWay;
    const full = busy || this.#outbox.congested || this.#rateLimiter.exhausted || this.#inbox.isWaiting;
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) {
      this.flow.pauses++;
      this.socket.pause();
    } else this.socket.resume();
  }
}
