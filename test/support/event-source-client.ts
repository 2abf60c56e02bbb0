import { get, type IncomingMessage } from 'node:http';
import type { Message } from './vcpu-client.js';

/** A reader of Server-Sent Events. Everything that arrives is kept, in order. */
export class EventSourceClient {
  readonly received: Message[] = [];
  readonly ids: string[] = [];
  readonly ended: Promise<void>;
  socketClosed = false;
  #text = '';
  #comments = 0;
  #waiting: { matches: () => boolean; resolve: () => void }[] = [];

  private constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.#receive(chunk));
    response.on('error', () => {});
    this.ended = new Promise((resolve) => {
      response.on('close', () => {
        this.socketClosed = true;
        resolve();
      });
    });
  }

  /** Resolves after `hello`. */
  static async connect(url: string, headers: Record<string, string> = {}): Promise<EventSourceClient> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { headers, agent: false }, resolve).once('error', reject);
    });
    if (response.headers['content-type'] !== 'text/event-stream; charset=utf-8') {
      throw new Error(`${url}: ${response.statusCode} ${response.headers['content-type']}`);
    }
    const client = new EventSourceClient(response);
    await client.next(({ type }) => type === 'hello');
    return client;
  }

  /** A message that matches, of those that came or will come. */
  async next(matches: (message: Message) => boolean): Promise<Message> {
    await this.#when(() => this.received.some(matches));
    return this.received.find(matches);
  }

  /** Resolves with the next comment. */
  comment(): Promise<void> {
    const before = this.#comments;
    return this.#when(() => this.#comments > before);
  }

  pause(): void {
    this.response.pause();
  }

  resume(): void {
    this.response.resume();
  }

  async close(): Promise<void> {
    this.response.destroy();
    await this.ended;
  }

  #when(matches: () => boolean): Promise<void> {
    if (matches()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ matches, resolve }));
  }

  #receive(chunk: string): void {
    const blocks = (this.#text + chunk).split('\n\n');
    this.#text = blocks.pop() ?? '';
    for (const block of blocks) this.#take(block);
    this.#waiting = this.#waiting.filter(({ matches, resolve }) => {
      if (!matches()) return true;
      resolve();
      return false;
    });
  }

  #take(block: string): void {
    const fields = new Map(
      block.split('\n').map((line) => [line.split(':')[0], line.slice(line.indexOf(':') + 1).trim()]),
    );
    if (fields.has('')) this.#comments++;
    const data = fields.get('data');
    if (data === undefined) return;
    const message = JSON.parse(data);
    if (message.type !== fields.get('event')) throw new Error(`the event ${fields.get('event')} holds ${data}`);
    this.received.push(message);
    const id = fields.get('id');
    if (id !== undefined) this.ids.push(id);
  }
}
