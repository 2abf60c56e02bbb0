import { Worker } from 'node:worker_threads';
import type { Access, ClientMessage } from '../../protocol/client-message.js';
import { clientFrame } from '../../protocol/protobuf/client-frames.js';
import { readServerFrame } from '../../protocol/protobuf/server-frame-reader.js';
import type { Reply } from '../../protocol/server-message.js';
import type { Reconnection } from '../reconnection.js';
import { RequestError } from '../request-error.js';
import { access, type BatchAccess, type VcpuEvent, valueFrom } from '../vcpu.js';
import { AWAIT_EVENT, CALL, Mailbox, POLL, POST } from './mailbox.js';
import type { SocketThreadData } from './socket-thread.js';

export type { Gap, Interrupt, Intr, Irq } from '../../protocol/server-message.js';
export { RequestError } from '../request-error.js';
export type { BatchAccess, VcpuEvent } from '../vcpu.js';

export interface SyncVcpuOptions {
  /** Bearer token, where the server wants one. */
  readonly token?: string;
  /** Of the connection that holds the vCPU now, to take over from it. */
  readonly resumeToken?: string;
  readonly reconnect?: Reconnection | false;
  /** Called in the caller's thread, before a call returns, with what arrived before its reply; in order. */
  readonly onEvent?: (event: VcpuEvent) => void;
  /** Milliseconds after which a call gives up. 30,000 if not given. */
  readonly timeoutMs?: number;
}

const NO_FRAME = new Uint8Array();
/** Accesses in one frame: as many records of 16 bytes as find room, and the server's default limit allows. */
const LARGEST_BATCH = 4096;
/** Posted writes after which one waits: the server reads no further when too many are under way. */
const POSTED_AT_ONCE = 256;
const MAX_ID = 2 ** 32;

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
  readonly #mailbox = new Mailbox();
  readonly #worker: Worker;
  readonly #timeout: number;
  #id = 0;
  #posted = 0;
  #closed = false;

  private constructor(
    url: string,
    machine: string,
    vcpu: number,
    readonly options: SyncVcpuOptions,
  ) {
    const { token, resumeToken, reconnect, timeoutMs = 30_000 } = options;
    this.#timeout = timeoutMs;
    const { buffer } = this.#mailbox;
    const workerData: SocketThreadData = { buffer, url, machine, vcpu, token, resumeToken, reconnect };
    this.#worker = new Worker(new URL('./socket-thread.js', import.meta.url), { workerData, execArgv: [] });
    this.#worker.unref();
  }

  /** Takes a vCPU of a machine. */
  static connect(url: string, machine: string, vcpu: number, options: SyncVcpuOptions = {}): SyncVcpu {
    const client = new SyncVcpu(url, machine, vcpu, options);
    try {
      client.#exchange(CALL, NO_FRAME);
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
    this.#send(
      POST,
      this.#frame((id) => ({ type: 'access', id, access: posted })),
    );
    if (++this.#posted >= POSTED_AT_ONCE) this.sync();
  }

  /** Several accesses, carried out in order. The value of each read; undefined of a write. */
  batch(accesses: readonly BatchAccess[]): (number | bigint | undefined)[] {
    const values: (number | bigint | undefined)[] = [];
    for (let first = 0; first < accesses.length; first += LARGEST_BATCH) {
      values.push(...this.#batch(accesses.slice(first, first + LARGEST_BATCH)));
    }
    return values;
  }

  #batch(part: readonly BatchAccess[]): (number | bigint | undefined)[] {
    const accesses = part.map(({ address, size, value }) => access(address, size, value));
    const { results } = this.#call((id) => ({ type: 'batch', id, accesses }));
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

  /** Moves a manual clock by so many nanoseconds; returns when all that came due has run. */
  step(ns: number): void {
    this.#call((id) => ({ type: 'step', id, ns }));
  }

  /** Fence: returns when everything before is done. */
  sync(): void {
    this.#call((id) => ({ type: 'sync', id }));
  }

  /** Hands over the events that have arrived. */
  poll(): void {
    this.#exchange(POLL, NO_FRAME);
  }

  /** Sleeps until an event arrives, and hands it over; false if none does within `timeoutMs`. */
  waitForEvent(timeoutMs: number): boolean {
    this.#send(AWAIT_EVENT, NO_FRAME);
    // A later request takes the place of one that still waits.
    if (!this.#mailbox.awaitDone(timeoutMs)) this.poll();
    else this.#receive();
    return this.#told > 0;
  }

  /** Ends the connection and its thread. Interrupts for this vCPU wait at the server for whoever connects next. */
  close(): void {
    this.#closed = true;
    this.#worker.terminate();
  }

  // Requests

  #access(wanted: Access): Reply {
    return this.#call((id) => ({ type: 'access', id, access: wanted }));
  }

  #call(message: (id: number) => ClientMessage): Reply {
    this.#posted = 0;
    const reply = this.#exchange(CALL, this.#frame(message));
    if (!reply) throw new RequestError('bad-answer', 'The server answered with something else than a reply.');
    return reply;
  }

  #frame(message: (id: number) => ClientMessage): Uint8Array {
    this.#id = (this.#id + 1) % MAX_ID;
    return clientFrame(message(this.#id));
  }

  #send(kind: number, frame: Uint8Array): void {
    if (this.#closed) throw new RequestError('connection-closed', 'This vCPU was closed; connect it again.');
    if (!this.#mailbox.request(kind, this.#id, frame, this.#timeout)) throw this.#late();
  }

  /** Sends a request, waits for its end, and hands over the events that came before. */
  #exchange(kind: number, frame: Uint8Array): Reply | undefined {
    this.#send(kind, frame);
    if (!this.#mailbox.awaitDone(this.#timeout)) throw this.#late();
    return this.#receive();
  }

  #late(): RequestError {
    this.close();
    return new RequestError('timeout', `No reply within ${this.#timeout} ms; the connection is closed.`);
  }

  /** Events that the last call handed over. */
  #told = 0;

  #receive(): Reply | undefined {
    this.#told = 0;
    let reply: Reply | undefined;
    let failure: RequestError | undefined;
    for (;;) {
      for (const frame of this.#mailbox.frames()) {
        const message = readServerFrame(frame);
        if (message.type === 'reply') reply = message;
        else if (message.type === 'error') {
          failure ??= new RequestError(message.code, message.message, message.details);
        } else if (message.type !== 'hello' && message.type !== 'credit') {
          this.#told++;
          this.options.onEvent?.(message);
        }
      }
      if (!this.#mailbox.hasMore) break;
      this.#send(POLL, NO_FRAME);
      if (!this.#mailbox.awaitDone(this.#timeout)) throw this.#late();
    }
    if (failure) throw failure;
    return reply;
  }
}
