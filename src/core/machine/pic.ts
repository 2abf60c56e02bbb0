import { isPicPort } from '../devices/guest-map.js';
import { I8259Pair, IRQ_COUNT } from '../devices/i8259/pair.js';
import { PIC_AREA } from '../memory/map.js';
import type { Memory } from '../memory/memory.js';
import { PIC } from '../sync/lock-names.js';

const PRESENT = PIC_AREA.word('present', 'constant');

/** What an 8259 pair without a request answers to an acknowledge cycle: IRQ 7 of a master at base 0. */
const VECTOR_WITHOUT_PAIR = 7;

/** Protects the pair, and undoes that. */
interface LockGuard {
  readonly memory: Memory;
  enter(controller: number): boolean;
  leave(controller: number, entered: boolean): void;
}

/** The 8259 pair in a machine: whether there is one, and its guard around each way in. */
export class Pic {
  readonly memory: Memory;
  readonly pair: I8259Pair;

  constructor(
    readonly guard: LockGuard,
    intrChanged: (level: number) => void,
  ) {
    this.memory = guard.memory;
    this.pair = new I8259Pair(guard.memory, { intrChanged });
  }

  /** `quirks`: bits of PIC_QUIRKS. */
  create(present: boolean, quirks: number): void {
    this.memory.set(PRESENT, present ? 1 : 0);
    if (present) this.pair.create(quirks);
  }

  get isPresent(): boolean {
    return this.memory.get(PRESENT) !== 0;
  }

  reset(): void {
    if (!this.isPresent) return;
    const entered = this.#enter();
    this.pair.reset();
    this.#leave(entered);
  }

  /** The level of a GSI is now `level`. `isPulse`: it ends a pulse that an edge-triggered timer made in no time at all. */
  setInput(gsi: number, level: number, isPulse: boolean): void {
    if (gsi >= IRQ_COUNT || !this.isPresent) return;
    const entered = this.#enter();
    this.pair.setInput(gsi, level, isPulse);
    this.#leave(entered);
  }

  /** Interrupt acknowledge cycle: the vector. */
  acknowledge(): number {
    if (!this.isPresent) return VECTOR_WITHOUT_PAIR;
    const entered = this.#enter();
    const vector = this.pair.acknowledge();
    this.#leave(entered);
    return vector;
  }

  /** Reads a byte; undefined if the port is not the pair's. */
  readPort(port: number): number | undefined {
    if (!isPicPort(port) || !this.isPresent) return undefined;
    const entered = this.#enter();
    const value = this.pair.readPort(port);
    this.#leave(entered);
    return value;
  }

  /** Writes a byte; false if the port is not the pair's. */
  writePort(port: number, value: number): boolean {
    if (!isPicPort(port) || !this.isPresent) return false;
    const entered = this.#enter();
    this.pair.writePort(port, value);
    this.#leave(entered);
    return true;
  }

  #enter(): boolean {
    return this.guard.enter(PIC);
  }

  #leave(entered: boolean): void {
    this.guard.leave(PIC, entered);
  }
}
