import { workerData } from 'node:worker_threads';
import { clientFrame } from '../../wire/proto/client-frames.js';
import { Connection } from '../connection.js';
import type { Reconnection } from '../reconnection.js';
import { connectionLost, type RequestError } from '../request-error.js';
import { socketUrl } from '../web-socket.js';
import { protoFailure } from './failure.js';
import { AWAIT_EVENT, CALL, Mailbox, POLL } from './mailbox.js';

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

/** Events kept for a caller that does not call; what comes beyond is told as a gap. */
const MOST_EVENTS = 65_536;

const { buffer, url, machine, vcpu, token, resumeToken, reconnect } = workerData as SocketThreadData;
const mailbox = new Mailbox(buffer);
const address = socketUrl(url, `/v1/machines/${encodeURIComponent(machine)}/vcpus/${vcpu}`);

let shown = resumeToken;
let waiting: Uint8Array[] = [];
/** The request that waits for a reply, or for an event. */
let expecting: { readonly request: number; readonly id?: number } | undefined;
let ended: RequestError | undefined;

const connection = new Connection(
  { token, reconnect },
  {
    address: () => ({ url: address, protocols: shown === undefined ? [] : [`southbridge.resume.${shown}`] }),
    hello: (hello) => {
      shown = hello.resumeToken;
    },
    message: (message, frame) => {
      const isReply = message.type === 'reply' || message.type === 'error';
      if (message.type === 'credit') return;
      if (waiting.length < MOST_EVENTS || isReply) waiting.push(frame);
      else dropped(message);
      const isAwaited = expecting?.id === undefined ? !isReply : isReply && message.id === expecting.id;
      if (expecting && isAwaited) finish(expecting.request);
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

function dropped(message: { readonly type: string; readonly sequence?: number; readonly to?: number }): void {
  const sequence = message.to ?? message.sequence ?? 0;
  gap = { from: gap?.from ?? sequence, to: sequence };
}

function finish(request: number): void {
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
    if (kind === CALL) expecting = { request, id: mailbox.id };
    if (ended) fail(ended);
    else if (connection.isOpen) connection.send(frame);
    else fail(connectionLost(address));
  }
  mailbox.taken(request);
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
  for (let seen = 1; ; ) {
    await mailbox.nextRequest(seen);
    const last = mailbox.requests;
    if (last === seen) continue;
    seen = last;
    take(last);
  }
}

await serve();
