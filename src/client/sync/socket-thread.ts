import { workerData } from 'node:worker_threads';
import { readServerFrame } from '../../protocol/protobuf/answers.js';
import type { Reconnection } from '../reconnection.js';
import { closed, RequestError } from '../request-error.js';
import { Session, type SessionRequest } from '../session.js';
import type { VcpuEvent } from '../vcpu.js';
import { Arrivals } from './arrivals.js';
import { Bell } from './bell.js';
import { CANCEL, CLOSE, Mailbox, POST, SHORT_MS, SUBSCRIBE } from './mailbox.js';
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
  readonly connectMs?: number;
  readonly follow?: boolean;
  /** Of a `Bell`. */
  readonly bell?: SharedArrayBuffer;
}

/** Times that requests are looked for before the socket is looked at again. */
const AT_ONCE = 64;
/** Period in ms of `noteTaken`. */
const TAKEN_MS = 10;
/** Polls for a reply for this many ms: most arrive within a tenth of it. */
const REPLY_MS = 0.3;

const {
  buffer,
  url,
  machine,
  vcpu,
  eventLimit,
  waitingRequests,
  token,
  resumeToken,
  reconnect,
  connectMs,
  follow,
  bell,
} = workerData as SocketThreadData;
const mailbox = new Mailbox(buffer);
const arrivals = new Arrivals(mailbox, eventLimit, bell && new Bell(bell));

/** A request of the caller. */
interface CallerRequest extends SessionRequest {
  readonly isCall: boolean;
}

/** The last request whose reply the caller waits for, and when it was sent, in ms. */
let expecting: { readonly id: number; readonly since: number } | undefined;
const replies = new Polling(REPLY_MS, SHORT_MS);
let ended: RequestError | undefined;
let tick: NodeJS.Timeout | undefined;

const session = new Session<CallerRequest>(
  url,
  machine,
  vcpu,
  { token, reconnect, resumeToken, connectMs, follow, waitingRequests },
  {
    hello: (message) => arrivals.message(message),
    sent,
    answer: (request, frame) => {
      arrivals.frame(frame);
      if (expecting && request?.id === expecting.id) answered();
    },
    event: (frame) => {
      const event = readServerFrame(frame);
      if ('sequence' in event || event.type === 'gap') eventArrived(frame, event as VcpuEvent);
      if (!expecting && mailbox.isHalted) lookForRequest();
    },
    failed: (request, error) => {
      // A posted write may have been applied, and nobody waits for it.
      if (request.isCall || error.code !== 'connection-lost') refuse(request.id, error);
      if (request.id === expecting?.id) expecting = undefined;
    },
    ended: (error) => end(error ?? closed()),
  },
);

function eventArrived(frame: Uint8Array, event: VcpuEvent): void {
  arrivals.event(frame, event);
  noteTaken();
  tick ??= setInterval(noteTaken, TAKEN_MS);
}

/** Polls the caller's count of taken events; the caller sends no notification. */
function noteTaken(): void {
  for (const event of arrivals.takenSince()) session.took(event);
  if (arrivals.hasUntaken) return;
  clearInterval(tick);
  tick = undefined;
}

function answered(): void {
  if (expecting) replies.waited(performance.now() - expecting.since);
  expecting = undefined;
  lookForRequest();
}

function refuse(id: number, { code, message, details }: RequestError): void {
  arrivals.message({ type: 'error', id, code, message, details });
}

function end(error: RequestError): void {
  if (ended) return;
  ended = error;
  const { code, message, details } = error;
  arrivals.end({ code, message, details });
  leaveIfEnded();
}

/** The thread ends once the caller can read why: it would wait for the bell for good. */
function leaveIfEnded(): void {
  if (ended && arrivals.flush()) process.exit();
}

function take({ kind, id, body }: QueueRecord): void {
  if (ended) return;
  if (kind === CLOSE) {
    noteTaken();
    session.close();
    clearInterval(tick);
  } else if (kind === CANCEL) session.cancel(id);
  else {
    // The request carries the acknowledgement of what was taken before it.
    if (arrivals.hasUntaken) noteTaken();
    session.send({ id, frame: body, posted: kind === POST, isCall: kind !== POST, isSubscription: kind === SUBSCRIBE });
  }
}

function sent({ id, isCall }: CallerRequest): void {
  if (!isCall) return;
  const since = performance.now();
  expecting = { id, since };
  if (replies.isWorthwhile) pollForReply(since + REPLY_MS);
}

let pollUntil = 0;
let isPolling = false;

/** Makes the event loop poll the socket until `until`, instead of sleeping until data arrives. */
function pollForReply(until: number): void {
  pollUntil = until;
  if (isPolling) return;
  isPolling = true;
  setImmediate(pollSocket);
}

function pollSocket(): void {
  isPolling = expecting !== undefined && performance.now() < pollUntil;
  if (isPolling) setImmediate(pollSocket);
}

/** The bell when requests were taken last. */
let seen = 0;

function takeRequests(): void {
  seen = mailbox.bell;
  mailbox.takeRequests(take);
  arrivals.flush();
  leaveIfEnded();
}

/** A caller in a row of calls finds this thread looking for the next one, and need not wake it (docs/decisions/15-the-blocking-client-s-socket-thread-polls.md). */
function lookForRequest(): void {
  mailbox.answered();
  for (let taken = 0; !expecting && taken < AT_ONCE && mailbox.look(seen); taken++) takeRequests();
}

/** A wait for the bell keeps no thread alive, and neither does a timeout of a signal. */
const ALIVE_MS = 2 ** 30;

async function serve(): Promise<void> {
  setInterval(() => {}, ALIVE_MS);
  await session.open();
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
// Without an error the caller would wait for a reply that cannot come.
process.on('exit', () => failed(new Error('the thread of its socket ended')));
await serve().catch(failed);
