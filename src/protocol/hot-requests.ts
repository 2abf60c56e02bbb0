import type { Access, Acknowledged, ClientMessage } from './client-message.js';
import type { Reader } from './protobuf/reader.js';
import { envelope, fieldLength, numbersFrame, Writer } from './protobuf/writer.js';
import { readRecords, writeRecords } from './records.js';

/**
 * The binary form of frequent requests, written by hand: nothing here reads a table. `messages.ts` describes the same
 * messages, and a test holds both, and a library, to the same bytes. Each function returns undefined for a message that it
 * leaves to the description. A tag is the field's number in `proto/`, times 8, plus 0 for a varint, 2 for bytes, 5 for a fixed32.
 */

const NOTHING = new Uint8Array();

/** Fields of ClientMessage. */
const READ = 2;
const WRITE = 3;
const BATCH = 4;
const LINE = 8;
const EOI = 9;
const ACK = 15;
/** Beside a request. */
const CARRIED_ACK = 17;

// Requests, as a client writes them

/** Throws SouthbridgeError for addresses beyond 48 bits in a batch. */
export function requestFrame(message: ClientMessage): Uint8Array | undefined {
  switch (message.type) {
    case 'access':
      return accessFrame(message.id, message.access);
    case 'batch':
      return batchFrame(message.id, writeRecords(message.accesses));
    case 'line':
      return numbersFrame(LINE, message.id, message.gsi, message.level);
    case 'eoi':
      return numbersFrame(EOI, message.id, message.vector, 0);
    case 'ack':
      return numbersFrame(ACK, message.event, message.reply, 0);
    default:
      return undefined;
  }
}

function accessFrame(id: number, { write, posted, address, size, low, high }: Access): Uint8Array {
  const addressLow = address % 2 ** 32;
  const addressHigh = Math.floor(address / 2 ** 32);
  let length = fieldLength(id) + fieldLength(size) + (addressLow === 0 ? 0 : 5) + (addressHigh === 0 ? 0 : 5);
  if (write) length += (low === 0 ? 0 : 5) + (high === 0 ? 0 : 5) + (posted ? 2 : 0);
  const writer = new Writer(envelope(write ? WRITE : READ), length);
  writer.field(0x08, id);
  writer.field(0x10, size);
  writer.fixed32(0x1d, addressLow);
  writer.fixed32(0x25, addressHigh);
  if (write) {
    writer.fixed32(0x2d, low);
    writer.fixed32(0x35, high);
    writer.field(0x38, Number(posted));
  }
  return writer.bytes;
}

function batchFrame(id: number, records: Uint8Array): Uint8Array {
  const { length } = records;
  const writer = new Writer(envelope(BATCH), fieldLength(id) + fieldLength(length) + length);
  writer.field(0x08, id);
  writer.field(0x12, length);
  writer.raw(records);
  return writer.bytes;
}

/** The frame of a request, and beside the request an acknowledgement. */
export function withAck(frame: Uint8Array, { event, reply }: Acknowledged): Uint8Array {
  const writer = new Writer(envelope(CARRIED_ACK), fieldLength(event) + fieldLength(reply), frame);
  writer.field(0x08, event);
  writer.field(0x10, reply);
  return writer.bytes;
}

// Requests, as a server reads them

/** Reads the acknowledgement that comes next, beside a request; undefined if something else does. */
export function nextAck(header: Reader): Uint8Array | undefined {
  const { at } = header;
  if (header.uint32() === envelope(CARRIED_ACK)) return header.delimited();
  header.at = at;
  header.failed = false;
  return undefined;
}

/** Reads a field of ClientMessage. Numbers are as they came: the caller checks their ranges. Throws `bad-message`. */
export function readRequestBody(field: number, body: Reader): ClientMessage | undefined {
  switch (field) {
    case READ:
    case WRITE:
      return readAccess(body, field === WRITE);
    case BATCH:
      return readBatch(body);
    case LINE: {
      const numbers = readNumbers(body, 0x18);
      return numbers && { type: 'line', id: numbers.id, gsi: numbers.first, level: numbers.second === 0 ? 0 : 1 };
    }
    case EOI: {
      const numbers = readNumbers(body, 0x10);
      return numbers && { type: 'eoi', id: numbers.id, vector: numbers.first };
    }
    case ACK: {
      const ack = readAck(body);
      return ack && { type: 'ack', ...ack };
    }
    default:
      return undefined;
  }
}

function readAccess(reader: Reader, write: boolean): ClientMessage | undefined {
  const { bytes } = reader;
  const fields = { write, posted: false, address: 0, size: 0, low: 0, high: 0 };
  let id = 0;
  let addressHigh = 0;
  while (!reader.done) {
    const tag = bytes[reader.at++];
    if (tag === 0x08) id = reader.uint32();
    else if (tag === 0x10) fields.size = reader.uint32();
    else if (tag === 0x1d) fields.address = reader.fixed32();
    else if (tag === 0x25) addressHigh = reader.fixed32();
    else if (!write) return undefined;
    else if (tag === 0x2d) fields.low = reader.fixed32();
    else if (tag === 0x35) fields.high = reader.fixed32();
    else if (tag === 0x38) fields.posted = reader.bool();
    else return undefined;
  }
  if (addressHigh !== 0) fields.address += addressHigh * 2 ** 32;
  return reader.failed ? undefined : { type: 'access', id, access: fields };
}

function readBatch(reader: Reader): ClientMessage | undefined {
  const { bytes } = reader;
  let id = 0;
  let records: Uint8Array = NOTHING;
  while (!reader.done) {
    const tag = bytes[reader.at++];
    if (tag === 0x08) id = reader.uint32();
    else if (tag === 0x12) records = reader.delimited();
    else return undefined;
  }
  return reader.failed ? undefined : { type: 'batch', id, accesses: readRecords(records) };
}

/** Undefined as `readRequestBody`. */
export function readAck(reader: Reader): Acknowledged | undefined {
  const { bytes } = reader;
  let event = 0;
  let reply = 0;
  while (!reader.done) {
    const tag = bytes[reader.at++];
    if (tag === 0x08) event = reader.uint64();
    else if (tag === 0x10) reply = reader.uint64();
    else return undefined;
  }
  return reader.failed ? undefined : { event, reply };
}

/** An id and one or two numbers, of which `last` is the last tag. */
function readNumbers(reader: Reader, last: number): { id: number; first: number; second: number } | undefined {
  const { bytes } = reader;
  const numbers = { id: 0, first: 0, second: 0 };
  while (!reader.done) {
    const tag = bytes[reader.at++];
    if (tag === 0x08) numbers.id = reader.uint32();
    else if (tag === 0x10) numbers.first = reader.uint32();
    else if (tag === 0x18 && last === 0x18) numbers.second = Number(reader.bool());
    else return undefined;
  }
  return reader.failed ? undefined : numbers;
}
