import type { Protection } from '../../core/memory/layout.js';
import type { Memory } from '../../core/memory/memory.js';
import type { SharedMap } from '../../runtime/threads/shared-map.js';

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

/** What protects a word of the sockets, by its offset. */
export function socketProtection(offset: number): Protection {
  return offset % SOCKET_WORDS === ARRIVED ? 'sync' : 'ring';
}

/** Words of all sockets, behind the shared map. */
export const SOCKETS_WORDS = MOST_SOCKETS * SOCKET_WORDS;

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

  isAnswered(vcpu: number, frame: number): boolean {
    return (this.memory.get(this.#at(vcpu) + ANSWERED) & (1 << frame)) !== 0;
  }

  isDelivered(vcpu: number, frame: number): boolean {
    return (this.memory.get(this.#at(vcpu) + DELIVERED) & (1 << frame)) !== 0;
  }

  /** The value of a reply. */
  value(vcpu: number, frame: number): number {
    const at = this.#at(vcpu) + VALUES + 2 * frame;
    return (this.memory.get(at + 1) >>> 0) * 2 ** 32 + (this.memory.get(at) >>> 0);
  }

  #mark(word: number, bit: number): void {
    this.memory.set(word, this.memory.get(word) | (1 << bit));
  }
}
