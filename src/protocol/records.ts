import { SouthbridgeError } from '../errors.js';
import type { Access } from './client-message.js';
import type { BatchResults } from './server-message.js';

/** The packed fields of batches: `Batch.accesses` of proto/southbridge/v1/client.proto and `Reply.results` of server.proto. */

const RECORD_BYTES = 16;

const KIND = 0b11;
const WRITE = 1;
const SIZE_SHIFT = 2;
const POSTED = 1 << 4;
const RESERVED = 0b1110_0000;

/** Throws `bad-message`. */
export function readRecords(bytes: Uint8Array): Access[] {
  if (bytes.length % RECORD_BYTES !== 0) throw malformed(`accesses has ${bytes.length} bytes, not a multiple of 16`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const accesses = new Array<Access>(bytes.length / RECORD_BYTES);
  for (let index = 0; index < accesses.length; index++) accesses[index] = readRecord(view, index);
  return accesses;
}

function readRecord(view: DataView, index: number): Access {
  const at = index * RECORD_BYTES;
  const head = view.getUint8(at);
  const write = (head & KIND) === WRITE;
  const posted = (head & POSTED) !== 0;
  const low = view.getUint32(at + 8, true);
  const high = view.getUint32(at + 12, true);
  if ((head & KIND) > WRITE || (head & RESERVED) !== 0 || view.getUint8(at + 1) !== 0) {
    throw malformed(`record ${index} of accesses has reserved bits set`);
  }
  if (!write && (posted || low !== 0 || high !== 0)) {
    throw malformed(`record ${index} of accesses is a read, but posted or with a value`);
  }
  const address = view.getUint16(at + 2, true) * 2 ** 32 + view.getUint32(at + 4, true);
  return { write, posted, address, size: 1 << ((head >> SIZE_SHIFT) & 0b11), low, high };
}

/** Of addresses up to 48 bits; throws `address-unassigned` for others. */
export function writeRecords(accesses: readonly Access[]): Uint8Array {
  const bytes = new Uint8Array(accesses.length * RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < accesses.length; index++) {
    const { write, posted, address, size, low, high } = accesses[index];
    const at = index * RECORD_BYTES;
    if (address >= 2 ** 48) throw new SouthbridgeError('address-unassigned', { address, size });
    view.setUint8(at, (write ? WRITE : 0) | ((31 - Math.clz32(size)) << SIZE_SHIFT) | (posted ? POSTED : 0));
    view.setUint16(at + 2, Math.floor(address / 2 ** 32), true);
    view.setUint32(at + 4, address % 2 ** 32, true);
    view.setUint32(at + 8, low, true);
    view.setUint32(at + 12, high, true);
  }
  return bytes;
}

export function malformed(reason: string): SouthbridgeError {
  return new SouthbridgeError('bad-message', { reason });
}

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** 8 bytes for each access, which may share memory with `values`. */
export function resultBytes({ values }: BatchResults): Uint8Array {
  if (LITTLE_ENDIAN) return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const view = new DataView(new ArrayBuffer(values.byteLength));
  for (let index = 0; index < values.length; index++) view.setUint32(4 * index, values[index], true);
  return new Uint8Array(view.buffer);
}

/** Low and high half for each access. */
export function resultWords(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length >> 2 }, (_, index) => view.getUint32(4 * index, true));
}
