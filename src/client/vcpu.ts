import type { Access, ClientMessage } from '../protocol/client-message.js';
import type { DestinationFormat, IrqKind } from '../protocol/names.js';
import { readServerFrame } from '../protocol/protobuf/answers.js';
import { clientFrame } from '../protocol/protobuf/requests.js';
import type { Gap, Interrupt, Intr, Irq, Reply, ServerHello, ServerMessage } from '../protocol/server-message.js';
import { access, allOnes, type BatchAccess, isIgnored, type Unassigned, valueFrom } from './access.js';
import { Connection, type ConnectionOptions } from './connection.js';
import { EventQueue } from './event-queue.js';
import type { Halves, Pending, WaitingAccess } from './pending.js';
import { closed, isLost, RequestError, tooManyRequests } from './request-error.js';
import { socketUrl } from './web-socket.js';

/** What comes to a vCPU unasked, in the order of its sequence numbers. */
export type VcpuEvent = Interrupt | Intr | Irq | Gap;

export interface VcpuOptions extends ConnectionOptions {
  /** Of the connection that holds the vCPU now, to take over from it. */
  readonly resumeToken?: string;
  /** Called with each event as it arrives, and so before the reply to its cause; in place of `events()`. */
  readonly onEvent?: (event: VcpuEvent) => void;
  /** Events kept for whoever reads `events()`; a gap tells of those beyond. 65,536 if not given. */
  readonly eventLimit?: number;
  /** Requests that may wait for credit or for a connection; one more fails with `too-many-requests`. 65,536 if not given. */
  readonly waitingRequests?: number;
  /** What becomes of accesses to addresses that no device has. `error` if not given. */
  readonly unassigned?: Unassigned;
  /** Told of posted writes that were refused. Without it, the next request that has a reply fails with the error. */
  readonly onPostedError?: (error: RequestError) => void;
}

/** Accesses in one frame: half of the server's default limit, so that a longer batch begins before it is sent whole. */
const LARGEST_BATCH = 2048;
/** Requests that may wait for credit or for a connection, if no other number is given. */
export const MOST_WAITING = 65_536;
const MAX_ID = 2 ** 32;
const WANTED = ['batch', 'credit', 'posted'];

/**
 * A vCPU of a machine. Requests are carried out in the order in which they were made. Reads and writes of one turn of the
 * event loop go in one frame.
 *
 * ```js
 * const vcpu = await Vcpu.connect('http://127.0.0.1:8080', 'default', 0);
 * const counter = await vcpu.read(0xfed000f0, 8); // a bigint
 * await vcpu.write(0xfed00010, 8, 1n);
 * for await (const event of vcpu.events()) console.log(event);
 * ```
 */
export class Vcpu {
  /** The server's last hello: machine, clock, capabilities, resume token. */
  hello: ServerHello | undefined;
  /** Number of the last event received. */
  sequence = 0;
  /** Frames sent, for whoever wonders what batching does. */
  framesSent = 0;

  readonly #connection: Connection;
  readonly #queue: EventQueue<VcpuEvent> | undefined;
  readonly #pending = new Map<number, Pending>();
  readonly #waiting: WaitingAccess[] = [];
  #outgoing: { readonly frame: Uint8Array; readonly pending: Pending }[] = [];
  #id = 0;
  #inFlight = 0;
  #credit = 1;
  #kinds: readonly IrqKind[] = [];
  #postedError: RequestError | undefined;
  #token: string | undefined;
  #end: { readonly error: RequestError | undefined } | undefined;
  #flushing = false;

  private constructor(
    readonly url: string,
    readonly machine: string,
    readonly vcpu: number,
    readonly options: VcpuOptions,
  ) {
    this.#token = options.resumeToken;
    this.#queue = options.onEvent ? undefined : new EventQueue(options.eventLimit);
    this.#connection = new Connection(options, {
      address: () => ({
        url: socketUrl(url, `/v1/machines/${encodeURIComponent(machine)}/vcpus/${vcpu}`),
        protocols: this.#token === undefined ? [] : [`southbridge.resume.${this.#token}`],
      }),
      hello: (message) => this.#greeted(message),
      frame: (frame) => this.#receive(readServerFrame(frame)),
      lost: (error) => this.#lost(error),
      ended: (error) => this.#ended(error),
    });
  }

  /** Takes a vCPU of a machine. Rejects with RequestError. */
  static async connect(url: string, machine: string, vcpu: number, options: VcpuOptions = {}): Promise<Vcpu> {
    const client = new Vcpu(url, machine, vcpu, options);
    await client.#connection.open();
    return client;
  }

  // Accesses

  /** Reads a register of 1, 2 or 4 bytes as a number, or one of 8 as a bigint. */
  read(address: number, size: 8): Promise<bigint>;
  read(address: number, size: 1 | 2 | 4): Promise<number>;
  read(address: number, size: number): Promise<number | bigint>;
  async read(address: number, size: number): Promise<number | bigint> {
    const halves = await this.#access(access(address, size));
    return valueFrom(halves, size);
  }

  /** Writes a register; resolves when it is done. */
  async write(address: number, size: number, value: number | bigint): Promise<void> {
    await this.#access(access(address, size, value));
  }

  /** Writes a register without waiting: the reply to anything later tells that it is done. */
  post(address: number, size: number, value: number | bigint): void {
    const posted = { ...access(address, size, value), posted: true };
    this.#waiting.push({ access: posted, resolve: () => {}, reject: (error) => this.#postedFailed(error) });
    this.#flushSoon();
  }

  /** Several accesses, carried out in order and as a whole. The value of each read; undefined of a write. */
  async batch(accesses: readonly BatchAccess[]): Promise<(number | bigint | undefined)[]> {
    this.#flush();
    const all = accesses.map(({ address, size, value }) => access(address, size, value));
    let reply: Reply;
    try {
      reply = await this.#request((id) => ({ type: 'batch', id, accesses: all }));
    } catch (error) {
      if (!isIgnored(error, this.options.unassigned)) throw error;
      // Nothing of it was executed: each is asked for by itself.
      const halves = await Promise.all(all.map((each) => this.#access(each)));
      return all.map(({ write, size }, index) => (write ? undefined : valueFrom(halves[index], size)));
    }
    const { results } = reply;
    for (const { error } of results?.faults ?? []) throw new RequestError(error.code, error.message, error);
    const values = results?.values ?? new Uint32Array(2 * all.length);
    return all.map(({ write, size }, index) =>
      write ? undefined : valueFrom({ low: values[2 * index], high: values[2 * index + 1] }, size),
    );
  }

  // Everything else

  /** Reads a byte from an I/O port (the 8259 pair). */
  async portRead(port: number): Promise<number> {
    const { value } = await this.#request((id) => ({ type: 'in', id, port }));
    return value?.low ?? 0;
  }

  async portWrite(port: number, value: number): Promise<void> {
    await this.#request((id) => ({ type: 'out', id, port, value }));
  }

  /** Acknowledge cycle of the 8259 pair: the vector. */
  async acknowledge(): Promise<number> {
    const { vector } = await this.#request((id) => ({ type: 'inta', id }));
    return vector ?? 0;
  }

  /** Drives a line as the machine's external source; resolves when what it caused has arrived. */
  async setLine(gsi: number, level: 0 | 1): Promise<void> {
    await this.#request((id) => ({ type: 'line', id, gsi, level }));
  }

  /** The local APIC broadcasts an EOI. */
  async endOfInterrupt(vector: number): Promise<void> {
    await this.#request((id) => ({ type: 'eoi', id, vector }));
  }

  /** Tells the logical address of the local APIC. */
  async setApic(logicalId: number, format: DestinationFormat): Promise<void> {
    await this.#request((id) => ({ type: 'apic', id, logicalId, format }));
  }

  /** Moves a manual clock by so many nanoseconds; resolves when all that came due has run. */
  async step(ns: number): Promise<void> {
    await this.#request((id) => ({ type: 'step', id, ns }));
  }

  /** Fence: resolves when everything before is done. */
  async sync(): Promise<void> {
    await this.#request((id) => ({ type: 'sync', id }));
  }

  /** Asks for events of the machine's IRQ stream among the events of this vCPU; of none ends it. */
  async subscribe(kinds: readonly IrqKind[]): Promise<void> {
    this.#kinds = kinds;
    await this.#request((id) => ({ type: 'subscribe', id, kinds }));
  }

  /** Interrupts, changes of INTR, gaps and what was subscribed to, from the first on; for one reader. */
  events(): AsyncIterableIterator<VcpuEvent> {
    if (!this.#queue) throw new Error('this vCPU was connected with onEvent, which has its events');
    return this.#queue;
  }

  /** Ends the connection. Interrupts for this vCPU wait at the server for whoever connects next. */
  close(): void {
    this.#flush();
    this.#connection.close();
  }

  // Sending

  #access(wanted: Access): Promise<Halves> {
    return new Promise((resolve, reject) => {
      const refused = (error: unknown) => {
        if (isIgnored(error, this.options.unassigned)) resolve(allOnes(wanted.size));
        else reject(error);
      };
      this.#waiting.push({ access: wanted, resolve, reject: refused });
      this.#flushSoon();
    });
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  /** Sends the accesses of this turn. */
  #flush(): void {
    this.#flushing = false;
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, LARGEST_BATCH);
      if (group.length === 1) this.#sendSingle(group[0]);
      else this.#sendGroup(group);
    }
  }

  #sendSingle({ access: wanted, resolve, reject }: WaitingAccess): void {
    const answer = ({ value }: Reply) => resolve(value ?? { low: 0, high: 0 });
    this.#send((id) => ({ type: 'access', id, access: wanted }), wanted.posted, answer, reject);
  }

  #sendGroup(group: readonly WaitingAccess[]): void {
    const accesses = group.map(({ access: wanted }) => wanted);
    const answer = ({ results }: Reply) => {
      const faults = new Map(results?.faults.map(({ index, error }) => [index, error]));
      group.forEach(({ resolve, reject }, index) => {
        const fault = faults.get(index);
        if (fault) reject(new RequestError(fault.code, fault.message, fault));
        else resolve({ low: results?.values[2 * index] ?? 0, high: results?.values[2 * index + 1] ?? 0 });
      });
    };
    // Refused as a whole, because of one of them: each is asked for by itself, and only the bad ones fail.
    const refused = (error: unknown) => {
      if (isLost(error)) for (const { reject } of group) reject(error);
      else for (const each of group) this.#sendSingle(each);
    };
    const posted = accesses.every((each) => each.posted);
    this.#send((id) => ({ type: 'batch', id, accesses }), posted, answer, refused);
  }

  #request(message: (id: number) => ClientMessage): Promise<Reply> {
    this.#flush();
    const error = this.#postedError;
    this.#postedError = undefined;
    if (error) return Promise.reject(error);
    return new Promise((resolve, reject) => this.#send(message, false, resolve, reject));
  }

  #send(
    message: (id: number) => ClientMessage,
    posted: boolean,
    resolve: Pending['resolve'],
    reject: Pending['reject'],
  ): void {
    if (this.#end) {
      reject(this.#end.error ?? closed());
      return;
    }
    const { waitingRequests = MOST_WAITING } = this.options;
    if (this.#outgoing.length >= waitingRequests) {
      reject(tooManyRequests(waitingRequests));
      return;
    }
    this.#id = (this.#id + 1) % MAX_ID;
    const id = this.#id;
    try {
      this.#outgoing.push({ frame: clientFrame(message(id)), pending: { id, posted, resolve, reject } });
    } catch (error) {
      reject(error);
      return;
    }
    this.#pump();
  }

  /** Sends what waits, as far as the server's credit goes. */
  #pump(): void {
    if (!this.#connection.isOpen) return;
    let sent = 0;
    for (; sent < this.#outgoing.length && this.#inFlight < this.#credit; sent++) {
      const { frame, pending } = this.#outgoing[sent];
      this.#inFlight++;
      this.#pending.set(pending.id, pending);
      this.framesSent++;
      this.#connection.send(frame);
    }
    if (sent > 0) this.#outgoing = this.#outgoing.slice(sent);
  }

  // Receiving

  #greeted(message: ServerHello): void {
    const isFirst = this.hello === undefined;
    this.hello = message;
    this.#token = message.resumeToken;
    this.#credit = message.credit ?? 1;
    this.#inFlight = 0;
    const waiting = this.#outgoing;
    this.#outgoing = [];
    const intr = intrOf(message, isFirst);
    if (intr) this.#tell(intr);
    const ignore = () => {};
    this.#send((id) => ({ type: 'hello', id, version: 1, capabilities: WANTED }), false, ignore, ignore);
    if (this.#kinds.length > 0) {
      const kinds = this.#kinds;
      this.#send((id) => ({ type: 'subscribe', id, kinds }), false, ignore, ignore);
    }
    this.#outgoing.push(...waiting);
    this.#pump();
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case 'reply':
        this.#settle(message.id)?.resolve(message);
        break;
      case 'error': {
        const { code, message: text, details } = message;
        const error = new RequestError(code, text, details);
        if (message.id === undefined) this.#postedFailed(error);
        else this.#settle(message.id)?.reject(error);
        break;
      }
      case 'credit':
        this.#postedDone(message.requests);
        break;
      case 'interrupt':
      case 'intr':
      case 'irq':
      case 'gap':
        this.#tell(message);
    }
    this.#pump();
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (!this.#pending.delete(id)) return undefined;
    this.#inFlight--;
    return pending;
  }

  /** The oldest posted writes are done. */
  #postedDone(count: number): void {
    let left = count;
    for (const [id, { posted }] of this.#pending) {
      if (left === 0) break;
      if (!posted) continue;
      this.#pending.delete(id);
      this.#inFlight--;
      left--;
    }
  }

  #postedFailed(error: unknown): void {
    if (!(error instanceof RequestError) || isLost(error) || isIgnored(error, this.options.unassigned)) return;
    if (this.options.onPostedError) this.options.onPostedError(error);
    else this.#postedError ??= error;
  }

  #tell(event: VcpuEvent): void {
    this.sequence = event.type === 'gap' ? event.to : event.sequence;
    if (this.options.onEvent) this.options.onEvent(event);
    else this.#queue?.push(event);
  }

  #lost(error: RequestError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#inFlight = 0;
    for (const { reject } of pending) reject(error);
  }

  #ended(error: RequestError | undefined): void {
    this.#end = { error };
    const waiting = this.#outgoing;
    this.#outgoing = [];
    for (const { pending } of waiting) pending.reject(error ?? closed());
    this.#queue?.end(error);
  }
}

/** INTR is a level: what it did while a client was away shows in the hello. A client begins with level 0. */
export function intrOf({ sequence, intr: level }: ServerHello, isFirst: boolean): Intr | undefined {
  return level === undefined || (isFirst && level === 0) ? undefined : { type: 'intr', sequence, level };
}
