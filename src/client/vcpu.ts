import type { Access, ClientMessage } from '../protocol/client-message.js';
import type { DestinationFormat, Input, IrqKind } from '../protocol/names.js';
import { readServerFrame } from '../protocol/protobuf/answers.js';
import { clientFrame } from '../protocol/protobuf/requests.js';
import type { Gap, Interrupt, Intr, Irq, Reply, Restored, ServerHello } from '../protocol/server-message.js';
import { access, allOnes, type BatchAccess, isIgnored, type Unassigned, valueFrom } from './access.js';
import type { ConnectionState } from './connection.js';
import { EventQueue } from './event-queue.js';
import type { Halves, Pending, WaitingAccess } from './pending.js';
import { isLost, RequestError } from './request-error.js';
import { ID_LIMIT, Session, type SessionOptions } from './session.js';
import { type StepOptions, type Stepped, stepMessage, stepped } from './step.js';
import { numberOf } from './taken.js';

/** What comes to a vCPU unasked, in the order of its sequence numbers. */
export type VcpuEvent = Interrupt | Intr | Irq | Gap | Restored;

export interface VcpuOptions extends SessionOptions {
  /** Called with each event as it arrives, and so before the reply to its cause; in place of `events()`. */
  readonly onEvent?: (event: VcpuEvent) => void;
  /** Events kept for the reader of `events()`; a gap stands for those beyond. 65,536 if not given. */
  readonly eventLimit?: number;
  /** What becomes of accesses to addresses that no device has. `error` if not given. */
  readonly unassigned?: Unassigned;
  /** Called with the error of each posted write that the server refused. Without it, the next request that has a reply fails with the error. */
  readonly onPostedError?: (error: RequestError) => void;
}

/** Accesses in one frame: half of the server's default limit, so that a longer batch begins before it is sent whole. */
const LARGEST_BATCH = 2048;

/**
 * A vCPU of a machine. The server applies requests in the order in which they were made. Reads and writes of one turn of the
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
  /** Requests sent, one for each frame. */
  framesSent = 0;

  readonly #session: Session<Pending>;
  readonly #queue: EventQueue<VcpuEvent> | undefined;
  readonly #waiting: WaitingAccess[] = [];
  #id = 0;
  #postedError: RequestError | undefined;
  #flushing = false;

  private constructor(
    readonly url: string,
    readonly machine: string,
    readonly vcpu: number,
    readonly options: VcpuOptions,
  ) {
    this.#queue = options.onEvent
      ? undefined
      : new EventQueue(options.eventLimit, (event) => this.#session.took(event));
    this.#session = new Session(url, machine, vcpu, options, {
      hello: (message) => this.#greeted(message),
      sent: () => {
        this.framesSent++;
      },
      answer: (request, frame) => this.#answered(request, frame),
      event: (frame) => this.#received(frame),
      failed: (request, error) => request.reject(error),
      ended: (error) => this.#queue?.end(error),
    });
  }

  /** Takes a vCPU of a machine. Rejects with RequestError. */
  static async connect(url: string, machine: string, vcpu: number, options: VcpuOptions = {}): Promise<Vcpu> {
    const client = new Vcpu(url, machine, vcpu, options);
    await client.#session.open();
    return client;
  }

  /** `away`: the connection was lost, and the client tries to get another; requests wait for it. */
  get state(): ConnectionState {
    return this.#session.state;
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

  /** Several accesses, executed in order and as a whole. The value of each read; undefined of a write. */
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

  /** Drives an input: output of the PIT or the RTC, which the HPET may disconnect, or the callback of Xen's event channel. */
  async setInput(input: Input, level: 0 | 1): Promise<void> {
    await this.#request((id) => ({ type: 'input', id, input, level }));
  }

  /** Moves a manual clock by so many nanoseconds; resolves when all that came due has run. */
  async step(ns: number, options: StepOptions = {}): Promise<Stepped> {
    return stepped(await this.#request((id) => stepMessage(id, ns, options)));
  }

  /** Fence: resolves when everything before is done. */
  async sync(): Promise<void> {
    await this.#request((id) => ({ type: 'sync', id }));
  }

  /** Asks for events of the machine's IRQ stream among the events of this vCPU; of none ends it. */
  async subscribe(kinds: readonly IrqKind[]): Promise<void> {
    await this.#request((id) => ({ type: 'subscribe', id, kinds }), true);
  }

  /** Interrupts, changes of INTR, gaps and what was subscribed to, from the first on; for one reader. */
  events(): AsyncIterableIterator<VcpuEvent> {
    if (!this.#queue) throw new Error('this vCPU was connected with onEvent, which has its events');
    return this.#queue;
  }

  /** Ends the connection. Interrupts for this vCPU wait at the server for the next client. */
  close(): void {
    this.#flush();
    this.#session.close();
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

  #request(message: (id: number) => ClientMessage, isSubscription = false): Promise<Reply> {
    this.#flush();
    const error = this.#postedError;
    this.#postedError = undefined;
    if (error) return Promise.reject(error);
    return new Promise((resolve, reject) => this.#send(message, false, resolve, reject, isSubscription));
  }

  #send(
    message: (id: number) => ClientMessage,
    posted: boolean,
    resolve: Pending['resolve'],
    reject: Pending['reject'],
    isSubscription = false,
  ): void {
    this.#id = (this.#id + 1) % ID_LIMIT;
    const id = this.#id;
    let frame: Uint8Array;
    try {
      frame = clientFrame(message(id));
    } catch (error) {
      reject(error);
      return;
    }
    this.#session.send({ id, frame, posted, isSubscription, resolve, reject });
  }

  // Receiving

  #greeted(message: ServerHello): void {
    const intr = intrOf(message, this.hello === undefined);
    this.hello = message;
    if (intr) this.#deliver(intr);
  }

  #answered(request: Pending | undefined, frame: Uint8Array): void {
    const message = readServerFrame(frame);
    if (message.type === 'reply') request?.resolve(message);
    if (message.type !== 'error') return;
    const error = new RequestError(message.code, message.message, message.details);
    if (request) request.reject(error);
    else if (message.id === undefined) this.#postedFailed(error);
  }

  #received(frame: Uint8Array): void {
    const message = readServerFrame(frame);
    switch (message.type) {
      case 'interrupt':
      case 'intr':
      case 'irq':
      case 'gap':
      case 'restored':
        this.#deliver(message);
    }
  }

  #postedFailed(error: unknown): void {
    if (!(error instanceof RequestError) || isLost(error) || isIgnored(error, this.options.unassigned)) return;
    if (this.options.onPostedError) this.options.onPostedError(error);
    else this.#postedError ??= error;
  }

  #deliver(event: VcpuEvent): void {
    this.sequence = numberOf(event);
    if (!this.options.onEvent) {
      const { lines, intr } = levelsIn(event);
      this.#queue?.push(event, lines, intr);
      return;
    }
    try {
      this.options.onEvent(event);
    } finally {
      this.#session.took(event);
    }
  }
}

/** The levels that an event reports. */
function levelsIn(event: VcpuEvent): Pick<Gap, 'lines' | 'intr'> {
  if (event.type === 'intr') return { intr: event.level };
  return event.type === 'gap' ? event : {};
}

/**
 * INTR is a level: what it did while a client was away shows in the hello, unless the server keeps its changes (version 1.1).
 * A client begins with level 0.
 */
export function intrOf({ sequence, intr: level, epoch }: ServerHello, isFirst: boolean): Intr | undefined {
  if (epoch !== undefined && !isFirst) return undefined;
  if (level === undefined || (isFirst && level === 0)) return undefined;
  // Interrupts with lower numbers may follow: it stands before all.
  return { type: 'intr', sequence: epoch === undefined ? sequence : 0, level };
}
