import { workerData } from 'node:worker_threads';
import { clientFrame } from '../../protocol/protobuf/client-frames.js';
import { CREDIT, ERROR, headOf, REPLY } from '../../protocol/protobuf/frame-head.js';
import { readServerFrame } from '../../protocol/protobuf/server-frame-reader.js';
import type { ServerMessage } from '../../protocol/server-message.js';
import { Connection } from '../connection.js';
import type { Reconnection } from '../reconnection.js';
import { connectionLost, type RequestError } from '../request-error.js';
import { socketUrl } from '../web-socket.js';
import { protoFailure } from './failure.js';
import { AWAIT_EVENT, CALL, Mailbox, POLL, SHORT_MS } from './mailbox.js';
import { Polling } from './polling.js';

/** The thread that has the socket of a blocking client. It passes frames on as they are. */
export interface SocketThreadData {
  readonly buffer: SharedArrayBuffer;
  readonly url: string;
  readonly machine: string;
  readonly vcpu: number;
  readonly token?: string;
  readonly resumeToken?: string;
  readonly reconnect?: Reconnection | false;
}

/** Requests that are taken before the socket is looked at again. */
const AT_ONCE = 64;
/** For how long a reply is looked for: most come within a tenth of it. */
const REPLY_MS = 0.3;
/** Events kept for a caller that does not call; what comes beyond is told as a gap. */
const MOST_EVENTS = 65_536;

const { buffer, url, machine, vcpu, token, resumeToken, reconnect } = workerData as SocketThreadData;
const mailbox = new Mailbox(buffer);
const address = socketUrl(url, `/v1/machines/${encodeURIComponent(machine)}/vcpus/${vcpu}`);

let shown = resumeToken;
let waiting: Uint8Array[] = [];
/** The request that waits for a reply, or for an event; when it was sent, in ms. */
let expecting: { readonly request: number; readonly id?: number; readonly since?: number } | undefined;
const replies = new Polling(REPLY_MS, SHORT_MS);
let ended: RequestError | undefined;

const connection = new Connection(
  { token, reconnect },
  {
    address: () => ({ url: address, protocols: shown === undefined ? [] : [`southbridge.resume.${shown}`] }),
    hello: (hello) => {
      shown = hello.resumeToken;
    },
    frame: (frame) => {
      const { field, id } = headOf(frame);
      const isReply = field === REPLY || field === ERROR;
      if (field === CREDIT) return;
      if (waiting.length < MOST_EVENTS || isReply) waiting.push(frame);
      else dropped(readServerFrame(frame));
      const isAwaited = expecting?.id === undefined ? !isReply : isReply && id === expecting.id;
      if (!expecting || !isAwaited) return;
      finish(expecting.request);
      takeWhatComesSoon();
    },
    lost: (error) => fail(error),
    ended: (error) => {
      ended = error ?? connectionLost(address);
      fail(ended);
    },
  },
);

/** The events that found no room, as one gap at the end. */
let gap: { from: number; to: number } | undefined;

function dropped(message: ServerMessage): void {
  let sequence = 0;
  if ('to' in message) sequence = message.to;
  else if ('sequence' in message) sequence = message.sequence;
  gap = { from: gap?.from ?? sequence, to: sequence };
}

function finish(request: number): void {
  if (expecting?.since !== undefined) replies.waited(performance.now() - expecting.since);
  expecting = undefined;
  if (gap) waiting.push(protoFailure.gap(gap.from, gap.to));
  gap = undefined;
  waiting = waiting.slice(mailbox.done(request, waiting));
}

function fail({ code, message }: RequestError): void {
  if (!expecting) return;
  waiting.push(protoFailure.error(code, message));
  finish(expecting.request);
}

function take(request: number): void {
  const { kind } = mailbox;
  if (kind === POLL || (kind === AWAIT_EVENT && waiting.length > 0)) finish(request);
  else if (kind === AWAIT_EVENT) expecting = { request };
  else {
    const frame = mailbox.frame();
    const since = performance.now();
    if (kind === CALL) expecting = { request, id: mailbox.id, since };
    if (ended) fail(ended);
    else if (connection.isOpen) connection.send(frame);
    else fail(connectionLost(address));
    if (expecting && replies.isWorthwhile) lookForReply(since + REPLY_MS);
  }
  mailbox.taken(request);
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

/** The last request that was taken. */
let seen = 1;

/**
 * A caller in a row of calls finds this thread looking for the next one, and has nobody to wake (docs/architecture.md,
 * decision 15).
 */
function takeWhatComesSoon(): void {
  for (let taken = 0; !expecting && taken < AT_ONCE && mailbox.look(seen); taken++) takeNext();
}

function takeNext(): void {
  seen = mailbox.requests;
  take(seen);
}

async function serve(): Promise<void> {
  // The first request is for the connection itself.
  await mailbox.nextRequest(0);
  mailbox.taken(1);
  try {
    await connection.open();
    expecting = { request: 1, id: 0 };
    connection.send(clientFrame({ type: 'sync', id: 0 }));
  } catch (error) {
    expecting = { request: 1, id: 0 };
    fail(error as RequestError);
  }
  for (;;) {
    await mailbox.nextRequest(seen);
    // It may have been taken by then.
    if (mailbox.requests === seen) continue;
    takeNext();
    takeWhatComesSoon();
  }
}

await serve();
