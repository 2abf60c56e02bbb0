import type { Protection } from '../../core/memory/layout.js';
import type { Memory } from '../../core/memory/memory.js';

const SUBMITTED = 0;
/** The consumer's side has a cache line of its own. */
const COMPLETED = 16;
const RECORDS = 32;

const OPERATION = 0;
const MACHINE = 1;
const ADDRESS = 2;
const VALUE_LOW = 4;
const VALUE_HIGH = 5;
const STATUS = 6;
const EVENTS = 7;
const RECORD_WORDS = 8;

export function submissionRingWords(capacity: number): number {
  return RECORDS + capacity * RECORD_WORDS;
}

/** What protects a word of a ring, by its offset. */
export function submissionProtection(offset: number): Protection {
  return offset < RECORDS ? 'sync' : 'ring';
}

/** Operations; the size of an access stands in bits 15:8. */
export const READ = 1;
export const WRITE = 2;
export const SET_LINE = 3;
export const END_OF_INTERRUPT = 4;
/** Moves the clock by `address` ns; with a value other than 0, no further than the next deadline. */
export const STEP = 5;
export const STOP = 6;
/** A byte of the I/O port at `address`. */
export const PORT_READ = 7;
export const PORT_WRITE = 8;
/** A processor's acknowledge cycle in virtual wire mode; the value is the vector. */
export const INTERRUPT_ACKNOWLEDGE = 9;
/** Copies a device's state into the thread's view buffer; the address is a value of `machine/view.ts`. */
export const VIEW = 10;
/** Does nothing: its answer tells that the thread has done all before it. */
export const NOTHING = 11;
/** The level of the callback of Xen's event channel. */
export const XEN_CALLBACK = 12;
/** Goes on with a step to the virtual time `address` that began after as many cancellations as the value says. */
export const CONTINUE_STEP = 13;
/** The local APIC of vCPU `address` has this logical address (`devices/ioapic/destinations.ts`). */
export const SET_LOGICAL_ADDRESS = 14;
/** Waits until what a request with the answer UNSETTLED made due has run. */
export const SETTLE = 15;

/** Operations that cause no events: they need no room in the event ring. */
export function isSilent(operation: number): boolean {
  return operation === READ || operation === VIEW;
}

/** Results. */
export const OK = 0;
export const UNASSIGNED = 1;
export const NOT_STEPPABLE = 2;
export const BAD_PORT = 3;
/** The machine is frozen, or being deleted. */
export const GONE = 4;
/** The path was broken off by a failed assertion. */
export const FAILED = 5;
/** The machine has no Xen filter. */
export const NO_XEN_FILTER = 6;
/** The step is not complete: `address` and value of CONTINUE_STEP. */
export const STEPPING = 7;
/** The step was cancelled; the value is the virtual time that it reached. */
export const CANCELLED = 8;
/** Not executed: the event ring has no room for the machine, or had none for a request before this one. */
export const HELD = 9;
/** Executed, with the value; but something that it made due waits for room in the event ring. */
export const UNSETTLED = 10;
/** Not executed: other nodes of the cluster may own the machine. */
export const NO_LEASE = 11;

/** An operation with its operands. */
export interface Operation {
  readonly operation: number;
  /** Bytes of an access. */
  readonly size: number;
  readonly address: number;
  /** Halves of the value. */
  readonly low: number;
  readonly high: number;
}

/** One record; its result is written over it. */
export interface Submission {
  operation: number;
  size: number;
  /** Word address of the machine. */
  machine: number;
  address: number;
  low: number;
  high: number;
}

/**
 * Requests from the gateway to one vCPU thread, answered in place and in order. Two indices say what belongs to whom:
 * [completed, submitted) to the thread, the rest to the gateway.
 */
export class SubmissionRing {
  readonly request: Submission = { operation: 0, size: 0, machine: 0, address: 0, low: 0, high: 0 };

  constructor(
    readonly memory: Memory,
    readonly at: number,
    /** Records, a power of two. */
    readonly capacity: number,
  ) {}

  // The gateway's side

  /** Makes the ring as new; no thread works on it. */
  reset(): void {
    this.memory.store(this.at + SUBMITTED, 0);
    this.memory.store(this.at + COMPLETED, 0);
  }

  hasRoom(unanswered: number): boolean {
    return unanswered < this.capacity;
  }

  /** Submits a request to the machine at word address `machine`; the caller checked `hasRoom`. */
  submit(request: Operation, machine: number): void {
    const { memory } = this;
    const position = memory.load(this.at + SUBMITTED);
    const record = this.#record(position);
    memory.set(record + OPERATION, request.operation | (request.size << 8));
    memory.set(record + MACHINE, machine);
    memory.setTime(record + ADDRESS, request.address);
    memory.set(record + VALUE_LOW, request.low);
    memory.set(record + VALUE_HIGH, request.high);
    memory.store(this.at + SUBMITTED, (position + 1) | 0);
  }

  /** Address of the word that `completed` reads. */
  get completedAt(): number {
    return this.at + COMPLETED;
  }

  completed(): number {
    return this.memory.load(this.at + COMPLETED);
  }

  /** The result at a completed position. */
  status(position: number): number {
    return this.memory.get(this.#record(position) + STATUS);
  }

  low(position: number): number {
    return this.memory.get(this.#record(position) + VALUE_LOW) >>> 0;
  }

  high(position: number): number {
    return this.memory.get(this.#record(position) + VALUE_HIGH) >>> 0;
  }

  /** The address that a completed request has left; of a step, the virtual time that it reached. */
  address(position: number): number {
    return this.memory.getTime(this.#record(position) + ADDRESS);
  }

  /** Position of the event ring behind everything that the request caused. */
  events(position: number): number {
    return this.memory.get(this.#record(position) + EVENTS);
  }

  // The vCPU thread's side

  hasRequest(): boolean {
    return this.memory.load(this.at + SUBMITTED) !== this.memory.load(this.at + COMPLETED);
  }

  /** Reads the next request into `request`, if there is one. */
  take(): Submission | undefined {
    const { memory, request } = this;
    const position = memory.load(this.at + COMPLETED);
    if (memory.load(this.at + SUBMITTED) === position) return undefined;
    const record = this.#record(position);
    const operation = memory.get(record + OPERATION);
    request.operation = operation & 0xff;
    request.size = operation >> 8;
    request.machine = memory.get(record + MACHINE);
    request.address = memory.getTime(record + ADDRESS);
    request.low = memory.get(record + VALUE_LOW) >>> 0;
    request.high = memory.get(record + VALUE_HIGH) >>> 0;
    return request;
  }

  /** Changes the address of the request that `take` returned: what continues it needs this one. */
  readdress(address: number): void {
    this.memory.setTime(this.#record(this.memory.load(this.at + COMPLETED)) + ADDRESS, address);
  }

  /** Answers the request that `take` returned. */
  complete(status: number, low: number, high: number, events: number): void {
    const { memory } = this;
    const position = memory.load(this.at + COMPLETED);
    const record = this.#record(position);
    memory.set(record + STATUS, status);
    memory.set(record + VALUE_LOW, low);
    memory.set(record + VALUE_HIGH, high);
    memory.set(record + EVENTS, events);
    memory.store(this.at + COMPLETED, (position + 1) | 0);
  }

  #record(position: number): number {
    return this.at + RECORDS + (position & (this.capacity - 1)) * RECORD_WORDS;
  }
}
