import { workerData } from 'node:worker_threads';
import { CREDIT, ERROR, REPLY } from '../../protocol/hot.js';
import { headOf, readServerFrame } from '../../protocol/protobuf/answers.js';
import { Connection } from '../connection.js';
import type { Reconnection } from '../reconnection.js';
import { connectionLost, RequestError, tooManyRequests } from '../request-error.js';
import { socketUrl } from '../web-socket.js';
import { Arrivals } from './arrivals.js';
import { CANCEL, Mailbox, POST, SHORT_MS, SUBSCRIBE } from './mailbox.js';
import { Polling } from './polling.js';
import type { QueueRecord } from './record-queue.js';

/** The thread that has the socket of a blocking client. It passes frames on as they are. */
export interface SocketThreadData {
  readonly buffer: SharedArrayBuffer;
  readonly url: string;
  readonly machine: string;
  readonly vcpu: number;
  readonly eventLimit: number;
  readonly waitingRequests: number;
  readonly token?: string;
  readonly resumeToken?: string;
  readonly reconnect?: Reconnection | false;
}

/** Times that requests are looked for before the socket is looked at again. */
const AT_ONCE = 64;
/** For how long a reply is looked for: most come within a tenth of it. */
const REPLY_MS = 0.3;

const { buffer, url, machine, vcpu, eventLimit, waitingRequests, token, resumeToken, reconnect } =
  workerData as SocketThreadData;
const mailbox = new Mailbox(buffer);
const arrivals = new Arrivals(mailbox, eventLimit);
const address = socketUrl(url, `/v1/machines/${encodeURIComponent(machine)}/vcpus/${vcpu}`);

let shown = resumeToken;
/** Requests that were made while there is no connection. */
let waiting: QueueRecord[] = [];
/** Requests that were sent, and that the caller waits for. */
const inFlight = new Set<number>();
/** Sent again on each later connection; whether its reply is one that the caller knows nothing of. */
let subscription: QueueRecord | undefined;
let isSubscribingAgain = false;
/** The last request whose reply the caller waits for, and when it was sent, in ms. */
let expecting: { readonly id: number; readonly since: number } | undefined;
const replies = new Polling(REPLY_MS, SHORT_MS);
let ended: RequestError | undefined;

const connection = new Connection(
  { token, reconnect },
  {
    address: () => ({ url: address, protocols: shown === undefined ? [] : [`southbridge.resume.${shown}`] }),
    hello: (hello) => {
      shown = hello.resumeToken;
      arrivals.message(hello);
      if (subscription) connection.send(subscription.body);
      isSubscribingAgain = subscription !== undefined;
      const made = waiting;
      waiting = [];
      for (const request of made) send(request);
    },
    frame: receive,
    lost,
    ended: (error) => end(error ?? connectionLost(address)),
  },
);

function receive(frame: Uint8Array): void {
  const { field, id } = headOf(frame);
  if (field === CREDIT) return;
  const isAnswer = field === REPLY || field === ERROR;
  if (isAnswer && id !== undefined) {
    inFlight.delete(id);
    if (isSubscribingAgain && id === subscription?.id) {
      isSubscribingAgain = false;
      return;
    }
  }
  if (isAnswer) arrivals.frame(frame);
  else arrivals.event(frame, () => readServerFrame(frame));
  if (isAnswer && expecting && id === expecting.id) answered();
  else if (!isAnswer && !expecting && mailbox.isHalted) lookForRequest();
}

function answered(): void {
  if (expecting) replies.waited(performance.now() - expecting.since);
  expecting = undefined;
  lookForRequest();
}

/** The connection is lost: what became of the requests in flight is unknown. */
function lost(error: RequestError): void {
  for (const id of inFlight) refuse(id, error);
  inFlight.clear();
  expecting = undefined;
}

function refuse(id: number, { code, message, details }: RequestError): void {
  arrivals.message({ type: 'error', id, code, message, details });
}

function end(error: RequestError): void {
  if (ended) return;
  ended = error;
  const { code, message, details } = error;
  arrivals.end({ code, message, details });
}

function take(request: QueueRecord): void {
  const { kind, id } = request;
  if (ended) return;
  if (kind === CANCEL) waiting = waiting.filter((each) => each.id !== id);
  else if (connection.isOpen) send(request);
  else if (waiting.length < waitingRequests) waiting.push(request);
  else refuse(id, tooManyRequests(waitingRequests));
}

function send(request: QueueRecord): void {
  const { kind, id, body } = request;
  if (kind === SUBSCRIBE) {
    subscription = request;
    isSubscribingAgain = false;
  }
  connection.send(body);
  if (kind === POST) return;
  inFlight.add(id);
  const since = performance.now();
  expecting = { id, since };
  if (replies.isWorthwhile) lookForReply(since + REPLY_MS);
}

let lookUntil = 0;
let isLooking = false;

/** Has the event loop look at the socket again and again, in place of sleeping until something comes. */
function lookForReply(until: number): void {
  lookUntil = until;
  if (isLooking) return;
  isLooking = true;
  setImmediate(lookAgain);
}

function lookAgain(): void {
  isLooking = expecting !== undefined && performance.now() < lookUntil;
  if (isLooking) setImmediate(lookAgain);
}

/** The bell when requests were taken last. */
let seen = 0;

function takeRequests(): void {
  seen = mailbox.bell;
  mailbox.takeRequests(take);
  arrivals.flush();
}

/** A caller in a row of calls finds this thread looking for the next one, and need not wake it (docs/decisions/15-the-blocking-client-s-socket-thread-polls.md). */
function lookForRequest(): void {
  mailbox.answered();
  for (let taken = 0; !expecting && taken < AT_ONCE && mailbox.look(seen); taken++) takeRequests();
}

async function serve(): Promise<void> {
  await connection.open();
  for (;;) {
    takeRequests();
    lookForRequest();
    await mailbox.rung(seen);
  }
}

function failed(error: unknown): void {
  end(
    error instanceof RequestError ? error : new RequestError('internal', `The client failed: ${error}; report this.`),
  );
}

process.on('uncaughtException', failed);
await serve().catch(failed);
