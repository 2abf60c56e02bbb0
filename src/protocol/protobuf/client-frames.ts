import type { Access, ClientMessage } from '../client-message.js';
import { DESTINATION_FORMATS, IRQ_KINDS } from '../names.js';
import { writeRecords } from './record.js';
import { fieldLength, varintLength, Writer } from './writer.js';

/**
 * Frames of a client by hand, byte for byte as a library writes them: a browser needs no library, and nothing is
 * slower than it must be. Numbers of fields are those of proto/southbridge/v1/client.proto.
 */

/** Tag of field `number` of wire type varint, fixed32 or delimited. */
const varint = (number: number) => number << 3;
const fixed32 = (number: number) => (number << 3) | 5;
const delimited = (number: number) => (number << 3) | 2;

const ID = varint(1);
const SIZE = varint(2);
const ADDRESS = fixed32(3);
const ADDRESS_HIGH = fixed32(4);
const VALUE_LOW = fixed32(5);
const VALUE_HIGH = fixed32(6);
const POSTED = varint(7);

const READ = delimited(2);
const WRITE = delimited(3);

const text = new TextEncoder();

/** One frame for a message. Throws SouthbridgeError for addresses beyond 48 bits in a batch. */
export function clientFrame(message: ClientMessage): Uint8Array {
  const { id } = message;
  switch (message.type) {
    case 'access':
      return accessFrame(id, message.access);
    case 'batch':
      return withBytes(4, id, writeRecords(message.accesses));
    case 'hello':
      return helloFrame(id, message.version, message.capabilities);
    case 'in':
      return numbers(5, id, message.port);
    case 'out':
      return numbers(6, id, message.port, message.value);
    case 'inta':
      return numbers(7, id);
    case 'line':
      return numbers(8, id, message.gsi, message.level);
    case 'eoi':
      return numbers(9, id, message.vector);
    case 'apic':
      return numbers(10, id, message.logicalId, DESTINATION_FORMATS.indexOf(message.format) + 1);
    case 'step':
      return numbers(11, id, message.ns);
    case 'sync':
      return numbers(12, id);
    case 'subscribe':
      return withBytes(
        13,
        id,
        Uint8Array.from(message.kinds, (kind) => IRQ_KINDS.indexOf(kind) + 1),
      );
  }
}

function accessFrame(id: number, { write, posted, address, size, low, high }: Access): Uint8Array {
  const addressLow = address % 2 ** 32;
  const addressHigh = Math.floor(address / 2 ** 32);
  const words = write ? [addressLow, addressHigh, low, high] : [addressLow, addressHigh];
  const length =
    fieldLength(id) + fieldLength(size) + 5 * words.filter((word) => word !== 0).length + (write && posted ? 2 : 0);
  const writer = new Writer(write ? WRITE : READ, length);
  writer.field(ID, id);
  writer.field(SIZE, size);
  writer.fixed32(ADDRESS, addressLow);
  writer.fixed32(ADDRESS_HIGH, addressHigh);
  if (write) {
    writer.fixed32(VALUE_LOW, low);
    writer.fixed32(VALUE_HIGH, high);
    writer.field(POSTED, Number(posted));
  }
  return writer.bytes;
}

/** A message whose fields, from the first, are these numbers. */
function numbers(message: number, ...fields: readonly number[]): Uint8Array {
  const length = fields.reduce((sum, field) => sum + fieldLength(field), 0);
  const writer = new Writer(delimited(message), length);
  for (const [index, field] of fields.entries()) writer.field(varint(index + 1), field);
  return writer.bytes;
}

/** A message of an id and bytes: packed accesses, or packed small numbers. */
function withBytes(message: number, id: number, bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  const writer = new Writer(delimited(message), fieldLength(id) + bytesLength(length));
  writer.field(ID, id);
  writer.field(delimited(2), length);
  writer.raw(bytes);
  return writer.bytes;
}

function helloFrame(id: number, version: number, capabilities: readonly string[]): Uint8Array {
  const names = capabilities.map((name) => text.encode(name));
  const length = names.reduce((sum, name) => sum + 1 + varintLength(name.length) + name.length, 0);
  const writer = new Writer(delimited(1), fieldLength(id) + fieldLength(version) + length);
  writer.field(ID, id);
  writer.field(varint(2), version);
  for (const name of names) {
    writer.explicit(delimited(3), name.length);
    writer.raw(name);
  }
  return writer.bytes;
}

/** Length of a field of bytes; an empty one is left out. */
function bytesLength(length: number): number {
  return length === 0 ? 0 : 1 + varintLength(length) + length;
}
