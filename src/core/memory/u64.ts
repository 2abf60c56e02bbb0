const TWO_32 = 0x1_0000_0000;

/**
 * A 64-bit register in two unsigned halves. Arithmetic is modulo 2^64, in place, and allocates nothing: BigInt costs
 * five to fifteen times as much per operation and leaves garbage on the way of every access.
 */
export class U64 {
  lo = 0;
  hi = 0;

  set(lo: number, hi: number): this {
    this.lo = lo >>> 0;
    this.hi = hi >>> 0;
    return this;
  }

  copy(from: U64): this {
    this.lo = from.lo;
    this.hi = from.hi;
    return this;
  }

  /** Takes an integer of magnitude up to 2^63; a negative one as its two's complement. */
  setNumber(value: number): this {
    this.lo = value >>> 0;
    this.hi = Math.floor(value / TWO_32) >>> 0;
    return this;
  }

  /** The value as a signed 64-bit integer; exact below 2^53 in magnitude, else the nearest float64. */
  toSigned(): number {
    return (this.hi | 0) * TWO_32 + this.lo;
  }

  /**
   * The value as a signed 64-bit integer, rounded up where a float64 does not hold it: a deadline must not come before
   * the moment that it stands for.
   */
  toSignedCeiling(): number {
    const high = this.hi | 0;
    const bits = 32 - Math.clz32(Math.abs(high));
    if (bits <= 21) return high * TWO_32 + this.lo;
    const step = 1 << (bits - 21);
    return high * TWO_32 + Math.ceil(this.lo / step) * step;
  }

  /** The value as an unsigned integer; exact below 2^53, else the nearest float64. */
  toNumber(): number {
    return this.hi * TWO_32 + this.lo;
  }

  toBigInt(): bigint {
    return (BigInt(this.hi) << 32n) | BigInt(this.lo);
  }

  setBigInt(value: bigint): this {
    return this.set(Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn));
  }

  add(other: U64): this {
    return this.addParts(other.lo, other.hi);
  }

  addParts(lo: number, hi: number): this {
    const sum = this.lo + lo;
    this.hi = (this.hi + hi + (sum >= TWO_32 ? 1 : 0)) >>> 0;
    this.lo = sum >>> 0;
    return this;
  }

  subtract(other: U64): this {
    return this.subtractParts(other.lo, other.hi);
  }

  subtractParts(lo: number, hi: number): this {
    const difference = this.lo - lo;
    this.hi = (this.hi - hi - (difference < 0 ? 1 : 0)) >>> 0;
    this.lo = difference >>> 0;
    return this;
  }

  /** Multiplies by an integer from 0 to 2^20. */
  multiply(factor: number): this {
    const low = this.lo * factor;
    this.hi = (this.hi * factor + Math.floor(low / TWO_32)) >>> 0;
    this.lo = low >>> 0;
    return this;
  }

  /** Unsigned comparison. */
  isBelow(other: U64): boolean {
    return this.hi !== other.hi ? this.hi < other.hi : this.lo < other.lo;
  }

  equals(other: U64): boolean {
    return this.lo === other.lo && this.hi === other.hi;
  }

  isZero(): boolean {
    return this.lo === 0 && this.hi === 0;
  }

  /** Bit 63, the sign of a two's complement number. */
  isNegative(): boolean {
    return this.hi >= 0x8000_0000;
  }
}
