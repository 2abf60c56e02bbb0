import { CREDIT, ERROR, REPLY } from '../protocol/hot-answers.js';
import { headOf, readServerFrame } from '../protocol/protobuf/answers.js';
import { clientFrame } from '../protocol/protobuf/requests.js';
import type { ServerHello } from '../protocol/server-message.js';
import { Connection, type ConnectionOptions, type ConnectionState } from './connection.js';
import { closed, type RequestError, tooManyRequests } from './request-error.js';
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
}

/** A request, as it goes to the server. */
export interface SessionRequest {
  readonly id: number;
  readonly frame: Uint8Array;
  /** It has no reply unless the server refuses it. */
  readonly posted: boolean;
  /** It is repeated on each later connection. */
  readonly isSubscription?: boolean;
}

export interface SessionEvents<Request extends SessionRequest> {
  /** The first message of each connection, before anything else that arrives by it. */
  hello(message: ServerHello): void;
  /** Called with a request when it goes to the server. */
  sent(request: Request): void;
  /** A reply or an error. Without a request, it refuses a frame or a request that the session no longer knows. */
  answer(request: Request | undefined, frame: Uint8Array): void;
  /** Any other frame. */
  event(frame: Uint8Array): void;
  /** A request gets no answer: the connection was lost after it was sent, or it cannot be sent. */
  failed(request: Request, error: RequestError): void;
  /** No other connection follows; undefined after `close`. */
  ended(error: RequestError | undefined): void;
}

/**
 * The requests of a vCPU over one connection after the other: the state machine of both clients (docs/clients.md). Requests
 * go out in order while the connection is open and the server has credit. Those made at other times wait, up to a limit. What
 * was sent on a connection that is lost fails, as it may or may not have been applied.
 */
export class Session<Request extends SessionRequest> {
  readonly #connection: Connection;
  readonly #inFlight = new Map<number, Request>();
  #waiting: Request[] = [];
  #credit = 1;
  #token: string | undefined;
  #subscription: Request | undefined;
  /** The answer to the repeated subscription is for the session. */
  #isSubscribing = false;
  #end: { readonly error: RequestError | undefined } | undefined;

  constructor(
    server: string,
    machine: string,
    vcpu: number,
    readonly options: SessionOptions,
    readonly events: SessionEvents<Request>,
  ) {
    const url = socketUrl(server, `/v1/machines/${encodeURIComponent(machine)}/vcpus/${vcpu}`);
    this.#token = options.resumeToken;
    this.#connection = new Connection(options, {
      address: () => ({ url, protocols: this.#token === undefined ? [] : [`southbridge.resume.${this.#token}`] }),
      hello: (message) => this.#greeted(message),
      frame: (frame) => this.#receive(frame),
      lost: (error) => this.#lost(error),
      ended: (error) => this.#ended(error),
    });
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Resolves after the first hello. Rejects if the first connection fails. */
  open(): Promise<void> {
    return this.#connection.open();
  }

  close(): void {
    this.#connection.close();
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
    this.#connection.send(request.frame);
    this.events.sent(request);
  }

  #pump(): void {
    let sent = 0;
    for (; sent < this.#waiting.length && this.#canSend; sent++) this.#transmit(this.#waiting[sent]);
    if (sent > 0) this.#waiting = this.#waiting.slice(sent);
  }

  #greeted(message: ServerHello): void {
    this.#token = message.resumeToken;
    this.#credit = message.credit ?? 1;
    this.events.hello(message);
    this.#connection.send(clientFrame({ type: 'hello', id: HELLO_ID, version: 1, capabilities: WANTED }));
    this.#isSubscribing = this.#subscription !== undefined;
    if (this.#subscription) this.#connection.send(this.#subscription.frame);
    this.#pump();
  }

  #receive(frame: Uint8Array): void {
    const { field, id } = headOf(frame);
    if (field === CREDIT) {
      const message = readServerFrame(frame);
      if (message.type === 'credit') this.#postedDone(message.requests);
    } else if (field !== REPLY && field !== ERROR) this.events.event(frame);
    else if (id === undefined) this.events.answer(undefined, frame);
    else this.#answered(id, frame);
    this.#pump();
  }

  #answered(id: number, frame: Uint8Array): void {
    if (id === HELLO_ID) return;
    if (this.#isSubscribing && id === this.#subscription?.id) {
      this.#isSubscribing = false;
      return;
    }
    const request = this.#inFlight.get(id);
    this.#inFlight.delete(id);
    this.events.answer(request, frame);
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

  #lost(error: RequestError): void {
    const lost = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const request of lost) this.events.failed(request, error);
  }

  #ended(error: RequestError | undefined): void {
    this.#end = { error };
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) this.events.failed(request, error ?? closed());
    this.events.ended(error);
  }
}
