/**
 * The lock or mechanism that protects a data field. The locking design maps it to a lock; exploration checks at each
 * access that the lock is held.
 *
 * - `constant`: written before any other thread can see the machine
 * - `sync`: a synchronisation word, accessed by atomics only
 * - `hpet`, `router`, `ioapic`, `pic`: the state of that device
 * - `timers`: the timer list's own lock; `arming`: written under `timers` and the owner's lock, read under either
 * - `control`: published by the control word
 * - `ring`: published by the ring's indices
 */
export type Protection =
  | 'constant'
  | 'sync'
  | 'hpet'
  | 'router'
  | 'ioapic'
  | 'pic'
  | 'timers'
  | 'arming'
  | 'control'
  | 'ring';

export interface Field {
  readonly name: string;
  readonly protection: Protection;
}

/** A named part of the memory map. Fields are claimed in order; all addresses are word indices. */
export class Area {
  readonly #fields = new Map<number, Field>();
  #next: number;

  constructor(
    readonly name: string,
    readonly start: number,
    readonly end: number,
  ) {
    this.#next = start;
  }

  /** Claims one 32-bit word. */
  word(name: string, protection: Protection): number {
    return this.words(name, 1, protection);
  }

  /** Claims `count` consecutive words and returns the first. */
  words(name: string, count: number, protection: Protection): number {
    const address = this.#next;
    this.#next += count;
    if (this.#next > this.end) throw new Error(`memory map: ${this.name} has no room for ${name}`);
    for (let i = 0; i < count; i++) {
      this.#fields.set(address + i, {
        name: count === 1 ? `${this.name}.${name}` : `${this.name}.${name}[${i}]`,
        protection,
      });
    }
    return address;
  }

  /** Claims a float64: two words from an even address on. */
  time(name: string, protection: Protection): number {
    this.align();
    return this.words(name, 2, protection);
  }

  /** Goes on at an even address, and returns it. */
  align(): number {
    this.#next += this.#next & 1;
    return this.#next;
  }

  /** Word addresses of all fields, in order. */
  addresses(): number[] {
    return [...this.#fields.keys()];
  }

  /** The field at a word address, if one was claimed there. */
  field(address: number): Field | undefined {
    return this.#fields.get(address);
  }
}

/** Offsets of one record in a table of equal ones; a record starts at an even address. */
export class Record {
  #next = 0;
  readonly #names: { name: string; protection: Protection }[] = [];

  word(name: string, protection: Protection): number {
    this.#names[this.#next] = { name, protection };
    return this.#next++;
  }

  time(name: string, protection: Protection): number {
    if (this.#next & 1) this.word('unused', protection);
    this.word(`${name}.low`, protection);
    return this.word(`${name}.high`, protection) - 1;
  }

  /** Words per record, rounded up to an even number. */
  get size(): number {
    return this.#next + (this.#next & 1);
  }

  /** Claims `count` records in `area` and returns the address of the first. */
  table(area: Area, name: string, count: number): number {
    const first = area.align();
    for (let i = 0; i < count; i++) {
      for (let offset = 0; offset < this.size; offset++) {
        const part = this.#names[offset] ?? { name: 'unused', protection: 'constant' as const };
        area.word(`${name}[${i}].${part.name}`, part.protection);
      }
    }
    return first;
  }
}
