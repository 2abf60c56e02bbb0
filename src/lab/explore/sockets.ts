import { type EventWords, emptyEvent } from '../../core/memory/event-words.js';
import type { Protection } from '../../core/memory/layout.js';
import type { Memory } from '../../core/memory/memory.js';
import type { SharedMap } from '../../runtime/memory/shared-map.js';

/** Number of frames that arrived. */
const ARRIVED = 0;
/** Bit n: frame n was answered. */
const ANSWERED = 1;
/** Bit n: the event that frame n causes was delivered. */
const DELIVERED = 2;
/** The two halves of the value of each reply. */
const VALUES = 4;
const MOST_FRAMES = 6;
const SOCKET_WORDS = VALUES + 2 * MOST_FRAMES;
const MOST_SOCKETS = 3;
/** The socket of the request that a generated program has for the gateway. */
export const INLINE_SOCKET = MOST_SOCKETS - 1;

/** Number of delivered events; then, in records of the same size, kind with cause and content of each. */
const LOG = MOST_SOCKETS * SOCKET_WORDS;
const LOGGED_WORDS = 4;
const MOST_LOGGED = 32;

/** Words of all sockets and of the log, behind the shared map. */
export const SOCKETS_WORDS = LOG + LOGGED_WORDS * (1 + MOST_LOGGED);

/** What protects a word of the sockets, by its offset. */
export function socketProtection(offset: number): Protection {
  return offset < LOG && offset % SOCKET_WORDS === ARRIVED ? 'sync' : 'ring';
}

/**
 * The gateway's view of the vCPUs' sockets: per vCPU, the frames that arrived and the replies and events sent. They lie
 * behind the shared map, so they are part of each state.
 */
export class Sockets {
  constructor(
    readonly map: SharedMap,
    readonly memory: Pick<Memory, 'get' | 'set' | 'load' | 'add'>,
  ) {}

  #at(vcpu: number): number {
    return this.map.words + vcpu * SOCKET_WORDS;
  }

  /** The client sends a frame. */
  send(vcpu: number): void {
    this.memory.add(this.#at(vcpu) + ARRIVED, 1);
  }

  arrived(vcpu: number): number {
    return this.memory.load(this.#at(vcpu) + ARRIVED);
  }

  reply(vcpu: number, frame: number, low: number, high: number): void {
    const at = this.#at(vcpu);
    this.#mark(at + ANSWERED, frame);
    this.memory.set(at + VALUES + 2 * frame, low);
    this.memory.set(at + VALUES + 2 * frame + 1, high);
  }

  deliver(vcpu: number, frame: number): void {
    this.#mark(this.#at(vcpu) + DELIVERED, frame);
  }

  /** Logs an event that was delivered. */
  log({ kind, cause, a, b, c }: Readonly<EventWords>): void {
    const at = this.map.words + LOG;
    const count = this.memory.get(at);
    if (count === MOST_LOGGED) throw new Error(`more than ${MOST_LOGGED} events are delivered`);
    const record = at + (1 + count) * LOGGED_WORDS;
    this.memory.set(record, kind | (cause << 8));
    this.memory.set(record + 1, a);
    this.memory.set(record + 2, b);
    this.memory.set(record + 3, c);
    this.memory.set(at, count + 1);
  }

  /** The events that were delivered, in order. */
  logged(): EventWords[] {
    const at = this.map.words + LOG;
    return Array.from({ length: this.memory.get(at) }, (_, i) => {
      const [head, a, b, c] = [0, 1, 2, 3].map((word) => this.memory.get(at + (1 + i) * LOGGED_WORDS + word));
      return { ...emptyEvent(), kind: head & 0xff, cause: head >> 8, a, b, c };
    });
  }

  isAnswered(vcpu: number, frame: number): boolean {
    return (this.memory.get(this.#at(vcpu) + ANSWERED) & (1 << frame)) !== 0;
  }

  isDelivered(vcpu: number, frame: number): boolean {
    return (this.memory.get(this.#at(vcpu) + DELIVERED) & (1 << frame)) !== 0;
  }

  /** The value of a reply, 64 bits. */
  wide(vcpu: number, frame: number): bigint {
    const at = this.#at(vcpu) + VALUES + 2 * frame;
    return (BigInt(this.memory.get(at + 1) >>> 0) << 32n) | BigInt(this.memory.get(at) >>> 0);
  }

  /** The same as a number. */
  value(vcpu: number, frame: number): number {
    return Number(this.wide(vcpu, frame));
  }

  #mark(word: number, bit: number): void {
    this.memory.set(word, this.memory.get(word) | (1 << bit));
  }
}
