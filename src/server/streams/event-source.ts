import type { ServerResponse } from 'node:http';
import type { Frame } from '../../protocol/codec.js';
import { serverText } from '../../protocol/json/server-text.js';
import type { ServerMessage } from '../../protocol/server-message.js';
import { SharedFrame } from '../../protocol/shared-frame.js';
import type { ClusterEvent } from '../service/cluster-port.js';
import { PROTOCOL_VERSION } from './agreement.js';
import { Liveness } from './liveness.js';
import type { Encoder, Peer } from './outbox.js';

const OPEN = 1;
const CLOSED = 3;

/** The reader of an HTTP response of type `text/event-stream`. */
export class EventSourcePeer implements Peer {
  readonly OPEN = OPEN;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(
    readonly response: ServerResponse,
    heartbeatMs: number,
    missedHeartbeats: number,
  ) {
    // Its heartbeat ends it.
    response.socket?.setTimeout(0);
    const liveness = response.socket && new Liveness(response.socket, missedHeartbeats);
    // A reader sends nothing: it is only held to take what it is sent. One that is not read tells nobody anything, and would only pile up.
    this.#heartbeat = setInterval(() => {
      if (liveness?.beat(false) === false) response.destroy();
      else if (this.bufferedAmount === 0) this.send(':\n\n');
    }, heartbeatMs);
    response.on('close', () => clearInterval(this.#heartbeat));
    response.on('error', () => {});
  }

  get readyState(): number {
    return this.response.writableEnded || this.response.destroyed ? CLOSED : OPEN;
  }

  get bufferedAmount(): number {
    return this.response.writableLength;
  }

  send(frame: Frame, done?: (error?: Error | null) => void): void {
    this.response.write(frame, done);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.response.end();
  }
}

const events = new SharedFrame((event, epoch) => eventText(event, epoch, event.sequence));

/**
 * Messages in the text form, each as one Server-Sent Event of its type; `resumed` if the reader was here before. An id is
 * `<epoch>:<number>`: that of a machine that was made again is no position in this one.
 */
export function eventSourceEncoder(resumed: boolean, epoch: () => string): Encoder {
  return {
    encode: (message) =>
      message.type === 'irq' ? events.of(message, epoch()) : eventText(message, epoch(), positionOf(message, resumed)),
  };
}

function eventText(message: ServerMessage, epoch: string, number: number | undefined): string {
  return sourceText(message.type, serverText(message), epoch, number);
}

function sourceText(type: string, data: string, epoch: string, number: number | undefined): string {
  return `${number === undefined ? '' : `id: ${epoch}:${number}\n`}event: ${type}\ndata: ${data}\n\n`;
}

/** What the stream of the cluster has for a reader, as one Server-Sent Event; `resumed` as above. */
export function clusterEventText(event: ClusterEvent, machine: string, resumed: boolean): string {
  const { epoch } = event;
  if (event.type === 'irq') return sourceText('irq', JSON.stringify(event.event), epoch, event.sequence);
  if (event.type === 'hello') {
    const { type, sequence, lines } = event;
    const message = { type, version: PROTOCOL_VERSION, machine, sequence, lines } as const;
    return eventText(message, epoch, positionOf(message, resumed));
  }
  const { type, from, to, lines } = event;
  return eventText({ type, from, to, lines }, epoch, to);
}

/**
 * Where a reader that comes back goes on. To one that comes back the hello gives no position: if its connection breaks
 * during its catching up, it is to keep the one that it had.
 */
function positionOf(message: ServerMessage, resumed: boolean): number | undefined {
  if (message.type === 'gap') return message.to;
  return message.type === 'hello' && !resumed ? message.sequence : undefined;
}
