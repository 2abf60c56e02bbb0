import { CREDIT, ERROR, IRQ, REPLY } from '../protocol/hot-answers.js';
import { withAck } from '../protocol/hot-requests.js';
import { headOf, readServerFrame, sequenceIn, serverFrame } from '../protocol/protobuf/answers.js';
import { clientFrame } from '../protocol/protobuf/requests.js';
import type { Gap, Interrupt, Intr, Irq, Restored, ServerHello } from '../protocol/server-message.js';
import { Connection, type ConnectionOptions, type ConnectionState, SUBPROTOCOLS } from './connection.js';
import { closed, connectionLost, type RequestError, tooManyRequests } from './request-error.js';
import { positionOf, Taken } from './taken.js';
import { socketUrl } from './web-socket.js';

/** Requests that may wait for credit or for a connection, if no other number is given. */
export const MOST_WAITING = 65_536;
const WANTED = ['batch', 'credit', 'posted'];
/** The id of the session's own hello; the requests of a client have lower ones. */
const HELLO_ID = 2 ** 32 - 1;
/** Ids of requests are below this. */
export const ID_LIMIT = HELLO_ID;

export interface SessionOptions extends ConnectionOptions {
  /** Of the connection that holds the vCPU now, to take over from it. */
  readonly resumeToken?: string;
  /** Requests that may wait for credit or for a connection; one more fails with `too-many-requests`. 65,536 if not given. */
  readonly waitingRequests?: number;
  /** False: version 1, which hands on each event as it arrives, also one that arrives twice. For tools that check a server. */
  readonly sessions?: boolean;
}

/** A request, as it goes to the server. */
export interface SessionRequest {
  readonly id: number;
  readonly frame: Uint8Array;
  /** It has no reply unless the server refuses it. */
  readonly posted: boolean;
  /** It is repeated on each later connection that does not continue a session of the server. */
  readonly isSubscription?: boolean;
  /** In the session, once it was sent. */
  number?: number;
}

export interface SessionEvents<Request extends SessionRequest> {
  /** The first message of each connection, before anything else that arrives by it. */
  hello(message: ServerHello): void;
  /** Called with a request when it goes to the server. */
  sent(request: Request): void;
  /** A reply or an error. Without a request, it refuses a frame or a request that the session no longer knows. */
  answer(request: Request | undefined, frame: Uint8Array): void;
  /** Any other frame: each event once. */
  event(frame: Uint8Array): void;
  /** A request gets no answer: the connection was lost after it was sent, or it cannot be sent. */
  failed(request: Request, error: RequestError): void;
  /** No other connection follows; undefined after `close`. */
  ended(error: RequestError | undefined): void;
}

/**
 * The requests and events of a vCPU over one connection after the other: the state machine of both clients (docs/clients.md).
 * Requests go out in order while the connection is open and the server has credit. Those made at other times wait, up to a
 * limit. With a server of version 1.1, nothing is lost with a connection. With one of version 1, what was sent on a connection
 * that is lost fails, as it may or may not have been applied.
 */
export class Session<Request extends SessionRequest> {
  readonly #connection: Connection;
  readonly #url: string;
  readonly #inFlight = new Map<number, Request>();
  #waiting: Request[] = [];
  #credit = 1;
  #token: string | undefined;
  #subscription: Request | undefined;
  /** The answer to the repeated subscription is for the session. */
  #isSubscribing = false;
  #end: { readonly error: RequestError | undefined } | undefined;

  // Of version 1.1

  readonly #name = randomName();
  /** Of the state that the application knows; undefined before, and with a server of version 1. */
  #epoch: string | undefined;
  /** Number of the last request that was sent. */
  #number = 0;
  /** The last event that came: `positionOf`. */
  #received = -1;
  #taken = new Taken(() => this.#acknowledge());

  constructor(
    server: string,
    machine: string,
    vcpu: number,
    readonly options: SessionOptions,
    readonly events: SessionEvents<Request>,
  ) {
    const path = `/v1/machines/${encodeURIComponent(machine)}/vcpus/${vcpu}`;
    this.#url = socketUrl(server, path);
    this.#token = options.resumeToken;
    this.#connection = new Connection(server, options, {
      resource: () => ({ path, protocols: [...this.#versions(), ...this.#resumeProtocol()] }),
      hello: (message) => this.#greeted(message),
      frame: (frame) => this.#receive(frame),
      lost: (error) => this.#lost(error),
      ended: (error) => this.#ended(error),
    });
  }

  #versions(): readonly string[] {
    return this.options.sessions === false ? SUBPROTOCOLS.slice(1) : SUBPROTOCOLS;
  }

  #resumeProtocol(): string[] {
    return this.#token === undefined ? [] : [`southbridge.resume.${this.#token}`];
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Resolves after the first hello. Rejects if the first connection fails. */
  open(): Promise<void> {
    return this.#connection.open();
  }

  close(): void {
    this.#taken.flush();
    this.#connection.close();
  }

  /** The application has taken an event, and all before it: the server need not keep it. */
  took(event: Interrupt | Intr | Irq | Gap | Restored): void {
    if (this.#epoch !== undefined) this.#taken.took(event);
  }

  /** Sends a request in its turn. Ids rise by one, and are below `ID_LIMIT`. */
  send(request: Request): void {
    if (this.#end) {
      this.events.failed(request, this.#end.error ?? closed());
      return;
    }
    const { waitingRequests = MOST_WAITING } = this.options;
    if (this.#waiting.length === 0 && this.#canSend) this.#transmit(request);
    else if (this.#waiting.length < waitingRequests) this.#waiting.push(request);
    else this.events.failed(request, tooManyRequests(waitingRequests));
  }

  /** Takes a request out of those that wait; false if it is not among them. */
  cancel(id: number): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((each) => each.id !== id);
    return this.#waiting.length < before;
  }

  get #canSend(): boolean {
    return this.#connection.isOpen && this.#inFlight.size < this.#credit;
  }

  #transmit(request: Request): void {
    if (request.isSubscription) {
      this.#subscription = request;
      this.#isSubscribing = false;
    }
    this.#inFlight.set(request.id, request);
    request.number = ++this.#number;
    this.#connection.send(this.#taken.isDue ? this.#carrying(request.frame) : request.frame);
    this.events.sent(request);
  }

  /** The acknowledgement goes out once: if the request is sent again, its numbers may be those of an earlier epoch. */
  #carrying(frame: Uint8Array): Uint8Array {
    this.#taken.carried();
    return withAck(frame, this.#taken);
  }

  #pump(): void {
    let sent = 0;
    for (; sent < this.#waiting.length && this.#canSend; sent++) this.#transmit(this.#waiting[sent]);
    if (sent > 0) this.#waiting = this.#waiting.slice(sent);
  }

  #acknowledge(): void {
    const { event, reply } = this.#taken;
    if (this.#connection.isOpen) this.#connection.send(clientFrame({ type: 'ack', event, reply }));
  }

  // A new connection

  #greeted(message: ServerHello): void {
    this.#token = message.resumeToken;
    this.#credit = message.credit ?? 1;
    this.events.hello(message);
    const isContinued = message.epoch !== undefined && message.session === this.#name;
    if (message.epoch !== undefined) this.#resume(message.epoch, message, isContinued);
    else this.#forgetSession();
    this.#connection.send(clientFrame({ type: 'hello', id: HELLO_ID, version: 1, capabilities: WANTED }));
    const subscription = isContinued ? undefined : this.#subscription;
    this.#isSubscribing = subscription !== undefined && !this.#inFlight.has(subscription.id);
    if (this.#isSubscribing && subscription) this.#repeat(subscription);
    for (const request of this.#inFlight.values()) if (request.number === undefined) this.#repeat(request);
    this.#pump();
  }

  #repeat(request: Request): void {
    request.number = ++this.#number;
    this.#connection.send(request.frame);
  }

  /**
   * The server has version 1 only: what was sent on the connection before may or may not have been applied. A later server
   * with sessions begins to count from zero.
   */
  #forgetSession(): void {
    this.#epoch = undefined;
    this.#received = -1;
    this.#taken = new Taken(() => this.#acknowledge());
    this.#failInFlight();
  }

  #failInFlight(): void {
    const lost = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const request of lost) this.events.failed(request, connectionLost(this.#url));
  }

  /** Shows the session, and finds out which requests are to be sent again: they lose their numbers. */
  #resume(epoch: string, { request }: ServerHello, isContinued: boolean): void {
    const isFirst = this.#epoch === undefined;
    const isOlder = !isContinued && request === 0;
    if (!isContinued && !isOlder) this.#failInFlight();
    // What the server did not accept, in this state, goes to it again behind what it did.
    this.#number = isContinued ? (request ?? 0) : 0;
    for (const each of this.#inFlight.values()) if ((each.number ?? 0) > this.#number) each.number = undefined;
    if (!isContinued) for (const each of this.#inFlight.values()) each.number = undefined;
    this.#taken.reply = Math.min(this.#taken.reply, this.#number);
    const { event, reply } = this.#taken;
    this.#connection.send(clientFrame({ type: 'resume', session: this.#name, epoch: this.#epoch ?? '', event, reply }));
    if (isFirst) this.#epoch = epoch;
  }

  // What arrives

  #receive(frame: Uint8Array): void {
    const { field, id } = headOf(frame);
    if (field === CREDIT) {
      const message = readServerFrame(frame);
      if (message.type !== 'credit') return;
      if (message.request === undefined) this.#postedDone(message.requests);
      else this.#doneTo(message.request);
    } else if (field !== REPLY && field !== ERROR) this.#event(field, frame);
    else if (id === undefined) this.events.answer(undefined, frame);
    else this.#answered(id, frame);
    this.#pump();
  }

  #answered(id: number, frame: Uint8Array): void {
    if (id === HELLO_ID) return;
    if (this.#isSubscribing && id === this.#subscription?.id) {
      this.#isSubscribing = false;
      if (this.#epoch !== undefined) this.#doneTo(this.#subscription.number ?? 0);
      return;
    }
    const request = this.#inFlight.get(id);
    this.#inFlight.delete(id);
    if (request && this.#epoch !== undefined) this.#doneTo(request.number ?? 0);
    this.events.answer(request, frame);
  }

  /** All requests up to this number are done: replies come in order. */
  #doneTo(number: number): void {
    if (this.#inFlight.size > 0) this.#forgetTo(number);
    this.#taken.replied(number);
  }

  #forgetTo(number: number): void {
    for (const [id, request] of this.#inFlight) {
      if ((request.number ?? Number.POSITIVE_INFINITY) > number) break;
      this.#inFlight.delete(id);
    }
  }

  /** The oldest posted writes are done. */
  #postedDone(count: number): void {
    let left = count;
    for (const [id, { posted }] of this.#inFlight) {
      if (left === 0) break;
      if (!posted) continue;
      this.#inFlight.delete(id);
      left--;
    }
  }

  /** Passes each event on once, although a new connection brings again what the application has not taken. */
  #event(field: number, frame: Uint8Array): void {
    if (this.#epoch === undefined) {
      this.events.event(frame);
      return;
    }
    const sequence = sequenceIn(frame);
    if (sequence !== undefined) {
      const position = 2 * sequence + (field === IRQ ? 0 : 1);
      if (position <= this.#received) return;
      this.#received = position;
      this.events.event(frame);
      return;
    }
    const message = readServerFrame(frame);
    if (message.type === 'gap') {
      if (positionOf(message) > this.#received) this.#gap(message, frame);
      return;
    }
    if (message.type === 'restored') this.#restored(message);
    this.events.event(frame);
  }

  #restored(message: Restored): void {
    this.#epoch = message.epoch;
    this.#received = positionOf(message);
    this.#taken.restored(message);
  }

  /** Of the events that it stands for, the first may have arrived by the connection before. */
  #gap(gap: Gap, frame: Uint8Array): void {
    const from = Math.max(gap.from, Math.floor((this.#received + 1) / 2));
    this.#received = positionOf(gap);
    this.events.event(from === gap.from ? frame : serverFrame({ ...gap, from }));
  }

  #lost(error: RequestError): void {
    this.#taken.stop();
    if (this.#epoch !== undefined) return;
    const lost = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const request of lost) this.events.failed(request, error);
  }

  #ended(error: RequestError | undefined): void {
    this.#end = { error };
    this.#failInFlight();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) this.events.failed(request, error ?? closed());
    this.events.ended(error);
  }
}

/** 96 bits: no two clients have the same. */
function randomName(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
