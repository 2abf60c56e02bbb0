import { Worker } from 'node:worker_threads';
import type { Access, ClientMessage } from '../../protocol/client-message.js';
import type { DestinationFormat, Input, IrqKind } from '../../protocol/names.js';
import { readServerFrame } from '../../protocol/protobuf/answers.js';
import { clientFrame } from '../../protocol/protobuf/requests.js';
import type { Reply, ServerHello, ServerMessage } from '../../protocol/server-message.js';
import { access, allOnes, type BatchAccess, isIgnored, valueFrom } from '../access.js';
import { closed, RequestError } from '../request-error.js';
import { ID_LIMIT, MOST_WAITING } from '../session.js';
import { type StepOptions, type Stepped, stepMessage, stepped } from '../step.js';
import { numberOf } from '../taken.js';
import { intrOf, type VcpuEvent } from '../vcpu.js';
import { MOST_EVENTS } from './arrivals.js';
import { CALL, CANCEL, CLOSE, END, EVENT, FRAME, LEFT_OUT, Mailbox, POST, SUBSCRIBE } from './mailbox.js';
import type { SyncVcpuOptions } from './options.js';
import type { SocketThreadData } from './socket-thread.js';

export type { DestinationFormat, Input, IrqKind } from '../../protocol/names.js';
export type { Gap, Interrupt, Intr, Irq, Restored, ServerHello } from '../../protocol/server-message.js';
export type { BatchAccess } from '../access.js';
export { RequestError } from '../request-error.js';
export type { StepOptions, Stepped } from '../step.js';
export type { VcpuEvent } from '../vcpu.js';
export { Bell } from './bell.js';
export type { SyncVcpuOptions } from './options.js';

const text = new TextDecoder();
const NOTHING = new Uint8Array();
/** Accesses in one frame: as many records of 16 bytes as find room, and the server's default limit allows. */
const LARGEST_BATCH = 4096;
/** For the last acknowledgement. */
const CLOSE_MS = 200;
/** Posted writes after which one waits: the server reads no further when too many are in flight. */
const POSTED_AT_ONCE = 256;

/**
 * A vCPU whose calls block, for an emulator's MMIO callbacks. A thread of its own has the socket; the caller sleeps in
 * `Atomics.wait`. Every call throws RequestError. Not for a browser's main thread.
 *
 * ```js
 * const vcpu = SyncVcpu.connect('http://127.0.0.1:8080', 'default', 0, { onEvent: (event) => queue.push(event) });
 * const counter = vcpu.read(0xfed000f0, 8); // a bigint
 * vcpu.write(0xfed00010, 8, 1n);
 * vcpu.waitForEvent(1000); // HLT
 * ```
 */
export class SyncVcpu {
  /** The server's last hello: machine, clock, capabilities, resume token. */
  hello: ServerHello | undefined;
  /** Number of the last event delivered. */
  sequence = 0;

  readonly #mailbox = new Mailbox();
  readonly #worker: Worker;
  readonly #timeout: number;
  #id = 0;
  #posted = 0;
  #delivered = 0;
  /** Requests whose reply is waited for, more than one if `onEvent` makes calls; with the answer, once it is here. */
  readonly #calls = new Map<number, Reply | RequestError | undefined>();
  /** Requests that nobody waits for any longer. */
  readonly #abandoned = new Set<number>();
  /** Of posted writes; for the next call to throw. */
  #postedError: RequestError | undefined;
  /** Why nothing more arrives. */
  #end: RequestError | undefined;

  private constructor(
    url: string,
    machine: string,
    vcpu: number,
    readonly options: SyncVcpuOptions,
  ) {
    const { token, resumeToken, reconnect, connectMs, follow, bell, timeoutMs = 30_000 } = options;
    this.#timeout = timeoutMs;
    const { buffer } = this.#mailbox;
    const { eventLimit = MOST_EVENTS, waitingRequests = MOST_WAITING } = options;
    const workerData: SocketThreadData = {
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
      bell: bell?.buffer,
    };
    this.#worker = new Worker(new URL('./socket-thread.js', import.meta.url), { workerData, execArgv: [] });
    this.#worker.unref();
  }

  /** Takes a vCPU of a machine. */
  static connect(url: string, machine: string, vcpu: number, options: SyncVcpuOptions = {}): SyncVcpu {
    const client = new SyncVcpu(url, machine, vcpu, options);
    try {
      client.sync();
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  /** Reads a register of 1, 2 or 4 bytes as a number, or one of 8 as a bigint. */
  read(address: number, size: 8): bigint;
  read(address: number, size: 1 | 2 | 4): number;
  read(address: number, size: number): number | bigint;
  read(address: number, size: number): number | bigint {
    const { value } = this.#access(access(address, size));
    return valueFrom(value ?? { low: 0, high: 0 }, size);
  }

  /** Writes a register; returns when it is done. */
  write(address: number, size: number, value: number | bigint): void {
    this.#access(access(address, size, value));
  }

  /** Writes a register without waiting: the return of anything later tells that it is done. A refusal is thrown there. */
  post(address: number, size: number, value: number | bigint): void {
    const posted: Access = { ...access(address, size, value), posted: true };
    const id = this.#nextId();
    this.#send(POST, id, clientFrame({ type: 'access', id, access: posted }));
    if (++this.#posted >= POSTED_AT_ONCE) this.sync();
  }

  /** Several accesses, executed in order. The value of each read; undefined of a write. */
  batch(accesses: readonly BatchAccess[]): (number | bigint | undefined)[] {
    const values: (number | bigint | undefined)[] = [];
    for (let first = 0; first < accesses.length; first += LARGEST_BATCH) {
      values.push(...this.#batch(accesses.slice(first, first + LARGEST_BATCH)));
    }
    return values;
  }

  #batch(part: readonly BatchAccess[]): (number | bigint | undefined)[] {
    const accesses = part.map(({ address, size, value }) => access(address, size, value));
    let reply: Reply;
    try {
      reply = this.#call((id) => ({ type: 'batch', id, accesses }));
    } catch (error) {
      if (!isIgnored(error, this.options.unassigned)) throw error;
      // Nothing of it was executed: each is asked for by itself.
      return accesses.map((each) => {
        const { value = { low: 0, high: 0 } } = this.#access(each);
        return each.write ? undefined : valueFrom(value, each.size);
      });
    }
    const { results } = reply;
    for (const { error } of results?.faults ?? []) throw new RequestError(error.code, error.message, error);
    const halves = results?.values ?? new Uint32Array(2 * accesses.length);
    return accesses.map(({ write, size }, index) =>
      write ? undefined : valueFrom({ low: halves[2 * index], high: halves[2 * index + 1] }, size),
    );
  }

  /** Reads a byte from an I/O port (the 8259 pair). */
  portRead(port: number): number {
    return this.#call((id) => ({ type: 'in', id, port })).value?.low ?? 0;
  }

  portWrite(port: number, value: number): void {
    this.#call((id) => ({ type: 'out', id, port, value }));
  }

  /** Acknowledge cycle of the 8259 pair: the vector. */
  acknowledge(): number {
    return this.#call((id) => ({ type: 'inta', id })).vector ?? 0;
  }

  setLine(gsi: number, level: 0 | 1): void {
    this.#call((id) => ({ type: 'line', id, gsi, level }));
  }

  endOfInterrupt(vector: number): void {
    this.#call((id) => ({ type: 'eoi', id, vector }));
  }

  /** Tells the logical address of the local APIC. */
  setApic(logicalId: number, format: DestinationFormat): void {
    this.#call((id) => ({ type: 'apic', id, logicalId, format }));
  }

  /** Asks for events of the machine's IRQ stream among the events of this vCPU; of none ends it. */
  subscribe(kinds: readonly IrqKind[]): void {
    this.#call((id) => ({ type: 'subscribe', id, kinds }), SUBSCRIBE);
  }

  /** Drives an input: output of the PIT or the RTC, which the HPET may disconnect, or the callback of Xen's event channel. */
  setInput(input: Input, level: 0 | 1): void {
    this.#call((id) => ({ type: 'input', id, input, level }));
  }

  /** Moves a manual clock by so many nanoseconds; returns when all that came due has run. */
  step(ns: number, options: StepOptions = {}): Stepped {
    return stepped(this.#call((id) => stepMessage(id, ns, options)));
  }

  /** Fence: returns when everything before is done. */
  sync(): void {
    this.#call((id) => ({ type: 'sync', id }));
  }

  /** Events that `onEvent` was called with. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Calls `onEvent` with the events that have arrived. Reads shared memory only. */
  poll(): void {
    const before = this.#delivered;
    while (this.#receive());
    if (this.#delivered === before) this.#throwFailure();
  }

  /** Sleeps until an event arrives, and calls `onEvent`; false if none arrives within `timeoutMs`, or before its bell rings. */
  waitForEvent(timeoutMs: number): boolean {
    const { bell } = this.options;
    if (bell) return bell.waitForEvent([this], timeoutMs);
    const before = this.#delivered;
    const end = performance.now() + timeoutMs;
    for (;;) {
      this.poll();
      if (this.#delivered !== before) return true;
      const left = end - performance.now();
      if (left <= 0) return false;
      this.#mailbox.halt(left);
    }
  }

  /** Ends the connection and its thread. Interrupts for this vCPU wait at the server for the next connection. */
  close(): void {
    if (!this.#end && this.#mailbox.request(CLOSE, 0, NOTHING, 0)) this.#awaitEnd();
    this.#end ??= closed();
    this.#worker.terminate();
  }

  /** The thread acknowledges what was taken, and closes the socket. */
  #awaitEnd(): void {
    const end = performance.now() + CLOSE_MS;
    for (let left = CLOSE_MS; left > 0; left = end - performance.now()) {
      for (let record = this.#mailbox.take(); record; record = this.#mailbox.take()) if (record.kind === END) return;
      this.#mailbox.awaitMore(left);
    }
  }

  // Requests

  #access(wanted: Access): Reply {
    try {
      return this.#call((id) => ({ type: 'access', id, access: wanted }));
    } catch (error) {
      if (!isIgnored(error, this.options.unassigned)) throw error;
      const { size } = wanted;
      return { type: 'reply', id: this.#id, value: { ...allOnes(size), size } };
    }
  }

  #nextId(): number {
    this.#id = (this.#id + 1) % ID_LIMIT;
    return this.#id;
  }

  #send(kind: number, id: number, frame: Uint8Array): void {
    this.#throwFailure();
    if (!this.#mailbox.request(kind, id, frame, this.#timeout)) throw this.#late(id);
  }

  /** Sends a request and waits for its reply; before it returns, `onEvent` has had the events that came before. */
  #call(message: (id: number) => ClientMessage, kind = CALL): Reply {
    this.#posted = 0;
    const id = this.#nextId();
    this.#send(kind, id, clientFrame(message(id)));
    this.#calls.set(id, undefined);
    try {
      const reply = this.#answerTo(id);
      if (reply instanceof RequestError) throw reply;
      this.#throwPosted();
      return reply;
    } finally {
      if (this.#calls.get(id) === undefined) this.#abandoned.add(id);
      this.#calls.delete(id);
    }
  }

  #answerTo(id: number): Reply | RequestError {
    const end = performance.now() + this.#timeout;
    for (;;) {
      while (this.#calls.get(id) === undefined && this.#receive());
      const answer = this.#calls.get(id);
      if (answer) return answer;
      if (this.#end) throw this.#end;
      const left = end - performance.now();
      if (left <= 0) throw this.#late(id);
      this.#mailbox.awaitMore(left);
    }
  }

  #late(id: number): RequestError {
    this.#mailbox.request(CANCEL, id, NOTHING, 0);
    const what = 'it may or may not be executed, unless there was no connection';
    return new RequestError('timeout', `The request has no reply within ${this.#timeout} ms; ${what}.`);
  }

  #throwFailure(): void {
    this.#throwPosted();
    if (this.#end) throw this.#end;
  }

  #throwPosted(): void {
    const error = this.#postedError;
    this.#postedError = undefined;
    if (error) throw error;
  }

  // What arrived

  /** Takes the next of what arrived; false if there is nothing more. */
  #receive(): boolean {
    const record = this.#mailbox.take();
    if (!record) return false;
    const { kind, body } = record;
    if (kind === FRAME) this.#heard(readServerFrame(body));
    else if (kind === EVENT) this.#take(readServerFrame(body));
    else if (kind === LEFT_OUT) this.#take(JSON.parse(text.decode(body)));
    else if (kind === END) {
      const { code, message, details } = JSON.parse(text.decode(body));
      this.#end ??= new RequestError(code, message, details);
    } else this.#heard(JSON.parse(text.decode(body)));
    return true;
  }

  /** An event is taken even if `onEvent` throws. */
  #take(event: ServerMessage): void {
    try {
      this.#heard(event);
    } finally {
      this.#mailbox.took();
    }
  }

  #heard(message: ServerMessage): void {
    switch (message.type) {
      case 'reply':
        if (this.#calls.has(message.id)) this.#calls.set(message.id, message);
        else this.#abandoned.delete(message.id);
        break;
      case 'error':
        this.#refused(message.id, new RequestError(message.code, message.message, message.details));
        break;
      case 'interrupt':
      case 'intr':
      case 'irq':
      case 'gap':
      case 'restored':
        this.#deliver(message);
        break;
      case 'hello': {
        const intr = intrOf(message, this.hello === undefined);
        this.hello = message;
        if (intr) this.#deliver(intr);
      }
    }
  }

  #deliver(event: VcpuEvent): void {
    this.#delivered++;
    this.sequence = numberOf(event);
    this.options.onEvent?.(event);
  }

  #refused(id: number | undefined, error: RequestError): void {
    if (id !== undefined && this.#calls.has(id)) this.#calls.set(id, error);
    else if (id === undefined || !this.#abandoned.delete(id)) {
      if (!isIgnored(error, this.options.unassigned)) this.#postedError ??= error;
    }
  }
}
