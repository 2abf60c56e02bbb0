const CAPACITY = 4096;

/**
 * The shared memory of an exploration. Only words that were ever written have a slot; all others keep their initial
 * value. A state is the values of all slots. Each write updates its hash.
 */
export class SharedState {
  readonly values = new Int32Array(CAPACITY);
  /** XOR over all slots of `mix` of slot and value, in four lanes; an initial value counts as 0. */
  readonly hash = new Int32Array(4);
  /** Slots in use. */
  count = 0;

  readonly #slots: Int32Array;
  readonly #initialOfSlot = new Int32Array(CAPACITY);
  readonly #scratch = new Int32Array(2);
  readonly #scratchTime = new Float64Array(this.#scratch.buffer);

  constructor(readonly initial: Int32Array) {
    this.#slots = new Int32Array(initial.length).fill(-1);
  }

  get(address: number): number {
    const slot = this.#slots[address];
    return slot < 0 ? this.initial[address] : this.values[slot];
  }

  set(address: number, value: number): void {
    let slot = this.#slots[address];
    if (slot < 0) slot = this.#claim(address);
    const old = this.values[slot];
    const next = value | 0;
    if (old === next) return;
    const start = this.#initialOfSlot[slot];
    if (old !== start) mix(this.hash, slot, old);
    if (next !== start) mix(this.hash, slot, next);
    this.values[slot] = next;
  }

  getTime(address: number): number {
    this.#scratch[0] = this.get(address);
    this.#scratch[1] = this.get(address + 1);
    return this.#scratchTime[0];
  }

  setTime(address: number, value: number): void {
    this.#scratchTime[0] = value;
    this.set(address, this.#scratch[0]);
    this.set(address + 1, this.#scratch[1]);
  }

  /** Size of a saved state in words; grows with the words written. */
  get savedWords(): number {
    return 5 + this.count;
  }

  save(into: Int32Array, at: number): void {
    into[at] = this.count;
    for (let lane = 0; lane < 4; lane++) into[at + 1 + lane] = this.hash[lane];
    for (let slot = 0; slot < this.count; slot++) into[at + 5 + slot] = this.values[slot];
  }

  /** Restores a saved state; slots claimed since get their initial values. Returns the position after it. */
  load(from: Int32Array, at: number): number {
    const count = from[at];
    for (let lane = 0; lane < 4; lane++) this.hash[lane] = from[at + 1 + lane];
    for (let slot = 0; slot < count; slot++) this.values[slot] = from[at + 5 + slot];
    for (let slot = count; slot < this.count; slot++) this.values[slot] = this.#initialOfSlot[slot];
    return at + 5 + count;
  }

  #claim(address: number): number {
    if (this.count === CAPACITY) throw new Error(`exploration: more than ${CAPACITY} words are written`);
    const slot = this.count++;
    this.#slots[address] = slot;
    this.#initialOfSlot[slot] = this.initial[address];
    this.values[slot] = this.initial[address];
    return slot;
  }
}

/**
 * Adds one (index, value) pair to a hash, or removes it. Each lane has its own odd multipliers, so pairs that collide
 * in one lane differ in the others.
 */
export function mix(hash: Int32Array, index: number, value: number): void {
  hash[0] ^= scramble(Math.imul(value, 0x9e3779b1) + Math.imul(index, 0x85ebca77) + 0x165667b1);
  hash[1] ^= scramble(Math.imul(value, 0xc2b2ae3d) + Math.imul(index, 0x27d4eb2f) + 0x2545f491);
  hash[2] ^= scramble(Math.imul(value, 0x1b873593) + Math.imul(index, 0xcc9e2d51) + 0x3c6ef372);
  hash[3] ^= scramble(Math.imul(value, 0x6c8e9cf5) + Math.imul(index, 0x38495ab5) + 0x5bd1e995);
}

/** The finalizer of MurmurHash3: each bit of the input changes each bit of the result with probability one half. */
function scramble(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
