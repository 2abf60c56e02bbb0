import type { IrqKind } from '../protocol/names.js';
import { readServerFrame } from '../protocol/protobuf/answers.js';
import type { Gap, Irq, LineLevels, ServerHello, ServerMessage } from '../protocol/server-message.js';
import { Connection, type ConnectionOptions, SUBPROTOCOLS } from './connection.js';
import { EventQueue } from './event-queue.js';

export interface IrqStreamOptions extends ConnectionOptions {
  /** Number of the last event that is known already; what came after it is sent first, as far as it is kept. */
  readonly after?: number;
  readonly kinds?: readonly IrqKind[];
  readonly gsis?: readonly number[];
  readonly vectors?: readonly number[];
  /** Events kept for the reader of the stream; a gap reports further ones. 65,536 if not given. */
  readonly eventLimit?: number;
}

/**
 * The IRQ stream of a machine. After a lost connection it goes on where it was; what is no longer kept shows as a gap,
 * which has the level of every line.
 *
 * ```js
 * const stream = await IrqStream.connect('http://127.0.0.1:8080', 'default', { kinds: ['line'] });
 * for await (const event of stream) console.log(event);
 * ```
 */
export class IrqStream implements AsyncIterable<Irq | Gap> {
  /** Levels of all lines right after the last event that was received from an unfiltered stream, or a gap. */
  lines: LineLevels = { hpet: 0, external: 0 };
  /** Number of the last event received. */
  sequence: number;

  readonly #connection: Connection;
  readonly #queue: EventQueue<Irq | Gap>;
  #known: boolean;
  /** Of the server's last hello; undefined with a server of version 1. */
  #epoch: string | undefined;

  private constructor(url: string, machine: string, options: IrqStreamOptions) {
    this.sequence = options.after ?? 0;
    this.#known = options.after !== undefined;
    this.#queue = new EventQueue(options.eventLimit);
    this.#connection = new Connection(url, options, {
      resource: () => ({
        path: `/v1/machines/${encodeURIComponent(machine)}/irqs${this.#query(options)}`,
        protocols: SUBPROTOCOLS,
      }),
      hello: (message) => this.#greeted(message),
      frame: (frame) => this.#receive(readServerFrame(frame)),
      lost: () => {},
      ended: (error) => this.#queue.end(error),
    });
  }

  /** Rejects with RequestError. */
  static async connect(url: string, machine: string, options: IrqStreamOptions = {}): Promise<IrqStream> {
    const stream = new IrqStream(url, machine, options);
    await stream.#connection.open();
    return stream;
  }

  [Symbol.asyncIterator](): AsyncIterator<Irq | Gap> {
    return {
      next: () => this.#queue.next(),
      return: () => {
        this.close();
        return this.#queue.return();
      },
    };
  }

  close(): void {
    this.#connection.close();
  }

  #query({ kinds, gsis, vectors }: IrqStreamOptions): string {
    const parts = [
      this.#known && `after=${this.#epoch === undefined ? '' : `${this.#epoch}:`}${this.sequence}`,
      kinds && `kind=${kinds.join()}`,
      gsis && `gsi=${gsis.join()}`,
      vectors && `vector=${vectors.join()}`,
    ].filter(Boolean);
    return parts.length === 0 ? '' : `?${parts.join('&')}`;
  }

  #greeted({ sequence, lines, epoch }: ServerHello): void {
    this.#epoch = epoch;
    if (!this.#known) {
      this.sequence = sequence;
      if (lines) this.lines = lines;
    }
    this.#known = true;
  }

  #receive(message: ServerMessage): void {
    if (message.type === 'irq') {
      this.sequence = message.sequence;
      if (message.event.kind === 'line') {
        const { gsi, level, source } = message.event;
        const driver = source === 'external' ? 'external' : 'hpet';
        const bit = 1 << gsi;
        this.lines = { ...this.lines, [driver]: (level ? this.lines[driver] | bit : this.lines[driver] & ~bit) >>> 0 };
      }
      this.#queue.push(message, this.lines);
    } else if (message.type === 'gap') {
      this.sequence = message.to;
      if (message.lines) this.lines = message.lines;
      this.#queue.push(message, message.lines);
    } else if (message.type === 'restored') {
      const { epoch, sequence, lines } = message;
      this.#epoch = epoch;
      this.#receive({ type: 'gap', from: sequence, to: sequence, lines });
    }
  }
}
