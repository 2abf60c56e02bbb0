import { U64 } from '../memory/u64.js';

const TWO_32 = 0x1_0000_0000;

export type PieceRead = (offset: number, size: number, result: U64) => void;
export type PieceWrite = (offset: number, size: number, value: U64) => void;

/** Cuts accesses into naturally aligned pieces, each of which a device handles by itself, lowest address first. */
export class Bus {
  readonly #piece = new U64();

  /** Reads `size` bytes (1, 2, 4 or 8) in pieces of at most `largest`. */
  read(offset: number, size: number, largest: number, read: PieceRead, result: U64): void {
    if (size <= largest && offset % size === 0) {
      read(offset, size, result);
      return;
    }
    const piece = this.#piece;
    let low = 0;
    let high = 0;
    for (let done = 0; done < size; ) {
      const bytes = pieceSize(offset + done, size - done, largest);
      read(offset + done, bytes, piece);
      if (done >= 4) {
        high += piece.lo * 2 ** (8 * (done - 4));
      } else {
        const shifted = piece.lo * 2 ** (8 * done);
        low += shifted % TWO_32;
        high += Math.floor(shifted / TWO_32);
      }
      done += bytes;
    }
    result.set(low, high);
  }

  write(offset: number, size: number, largest: number, write: PieceWrite, value: U64): void {
    const piece = this.#piece;
    const { lo, hi } = value;
    for (let done = 0; done < size; ) {
      const bytes = pieceSize(offset + done, size - done, largest);
      const shift = 8 * (done & 3);
      const first = done >= 4 ? hi : lo;
      const second = done >= 4 ? 0 : hi;
      piece.set(shift === 0 ? first : (first >>> shift) | (second << (32 - shift)), bytes === 8 ? hi : 0);
      if (bytes < 4) piece.lo &= 2 ** (8 * bytes) - 1;
      write(offset + done, bytes, piece);
      done += bytes;
    }
  }
}

/** The largest naturally aligned piece at `offset`, of at most `left` and `largest` bytes. */
function pieceSize(offset: number, left: number, largest: number): number {
  let size = largest;
  while (offset % size !== 0 || size > left) size >>= 1;
  return size;
}
