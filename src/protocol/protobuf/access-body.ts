import { Reader } from './reader.js';

/** What Read and Write have; a Read leaves the value 0. */
export interface AccessFields {
  readonly id: number;
  readonly size: number;
  readonly address: number;
  readonly addressHigh: number;
  readonly valueLow: number;
  readonly valueHigh: number;
  readonly posted: boolean;
}

/** Tags: field number << 3 | wire type. */
const ID = 0x08;
const SIZE = 0x10;
const ADDRESS = 0x1d;
const ADDRESS_HIGH = 0x25;
const VALUE_LOW = 0x2d;
const VALUE_HIGH = 0x35;
const POSTED = 0x38;
const ACCESSES = 0x12;

/** Reads a Read or a Write by hand; undefined if it holds anything that needs the library. */
export function readAccess(body: Uint8Array, write: boolean): AccessFields | undefined {
  const reader = new Reader(body, 0, body.length);
  const fields = { id: 0, size: 0, address: 0, addressHigh: 0, valueLow: 0, valueHigh: 0, posted: false };
  while (!reader.done) {
    const tag = body[reader.at++];
    if (tag > ADDRESS_HIGH && !write) return undefined;
    switch (tag) {
      case ID:
        fields.id = reader.uint32();
        break;
      case SIZE:
        fields.size = reader.uint32();
        break;
      case ADDRESS:
        fields.address = reader.fixed32();
        break;
      case ADDRESS_HIGH:
        fields.addressHigh = reader.fixed32();
        break;
      case VALUE_LOW:
        fields.valueLow = reader.fixed32();
        break;
      case VALUE_HIGH:
        fields.valueHigh = reader.fixed32();
        break;
      case POSTED:
        fields.posted = reader.uint32() !== 0;
        break;
      default:
        return undefined;
    }
  }
  return reader.failed ? undefined : fields;
}

/** Reads a Batch by hand; undefined if it holds anything that needs the library. */
export function readBatch(body: Uint8Array): { id: number; accesses: Uint8Array } | undefined {
  const reader = new Reader(body, 0, body.length);
  const fields = { id: 0, accesses: body.subarray(0, 0) };
  while (!reader.done) {
    const tag = body[reader.at++];
    if (tag === ID) fields.id = reader.uint32();
    else if (tag === ACCESSES) fields.accesses = reader.delimited();
    else return undefined;
  }
  return reader.failed ? undefined : fields;
}
