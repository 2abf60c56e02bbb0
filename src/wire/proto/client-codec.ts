import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { Access, ClientMessage } from '../client-message.js';
import type { ClientCodec } from '../codec.js';
import { ClientMessageSchema, type ClientMessage as ClientProto } from '../gen/southbridge/v1/client_pb.js';
import { ServerMessageSchema } from '../gen/southbridge/v1/server_pb.js';
import { DESTINATION_FORMATS, IRQ_KINDS } from '../names.js';
import { PROTO_SUBPROTOCOL } from '../subprotocols.js';
import { RECORD_BYTES, writeRecords } from './record.js';
import { serverMessage } from './server-message.js';
import { fieldLength, varintLength, Writer } from './writer.js';

/** Tags of ClientMessage, Read, Write and Batch: field number << 3 | wire type. */
const READ = 0x12;
const WRITE = 0x1a;
const BATCH = 0x22;
const ID = 0x08;
const SIZE = 0x10;
const ADDRESS = 0x1d;
const ADDRESS_HIGH = 0x25;
const VALUE_LOW = 0x2d;
const VALUE_HIGH = 0x35;
const POSTED = 0x38;
const ACCESSES = 0x12;

/** Binary frames, as a client speaks them. */
export const protoClientCodec: ClientCodec = {
  subprotocol: PROTO_SUBPROTOCOL,
  encode: clientFrame,
  decode(frame) {
    if (typeof frame === 'string') throw new TypeError('the server sent a text frame, and this protocol is binary');
    return serverMessage(fromBinary(ServerMessageSchema, frame));
  },
};

/** By hand what is frequent; the library writes all else. */
function clientFrame(message: ClientMessage): Uint8Array {
  if (message.type === 'access') return accessFrame(message.id, message.access);
  if (message.type === 'batch') return batchFrame(message.id, message.accesses);
  return toBinary(ClientMessageSchema, clientProto(message));
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

function batchFrame(id: number, accesses: readonly Access[]): Uint8Array {
  const bytes = accesses.length * RECORD_BYTES;
  const writer = new Writer(BATCH, fieldLength(id) + (bytes === 0 ? 0 : 1 + varintLength(bytes) + bytes));
  writer.field(ID, id);
  writer.field(ACCESSES, bytes);
  writer.raw(writeRecords(accesses));
  return writer.bytes;
}

/** Any message as the library knows it. */
export function clientProto(message: ClientMessage): ClientProto {
  return create(ClientMessageSchema, { message: oneof(message) });
}

type OneOf = Extract<MessageInitShape<typeof ClientMessageSchema>, { $typeName?: never }>['message'];

function oneof(message: ClientMessage): OneOf {
  const { id } = message;
  switch (message.type) {
    case 'hello':
      return { case: 'hello', value: { id, version: message.version, capabilities: [...message.capabilities] } };
    case 'access':
      return accessOneof(id, message.access);
    case 'batch':
      return { case: 'batch', value: { id, accesses: writeRecords(message.accesses) } };
    case 'in':
      return { case: 'portIn', value: { id, port: message.port } };
    case 'out':
      return { case: 'portOut', value: { id, port: message.port, value: message.value } };
    case 'inta':
      return { case: 'interruptAcknowledge', value: { id } };
    case 'line':
      return { case: 'setLine', value: { id, gsi: message.gsi, level: message.level === 1 } };
    case 'eoi':
      return { case: 'endOfInterrupt', value: { id, vector: message.vector } };
    case 'apic': {
      const format = DESTINATION_FORMATS.indexOf(message.format) + 1;
      return { case: 'setApic', value: { id, logicalId: message.logicalId, format } };
    }
    case 'step':
      return { case: 'clockStep', value: { id, ns: BigInt(message.ns) } };
    case 'sync':
      return { case: 'sync', value: { id } };
    case 'subscribe':
      return { case: 'subscribe', value: { id, kinds: message.kinds.map((kind) => IRQ_KINDS.indexOf(kind) + 1) } };
  }
}

function accessOneof(id: number, { write, posted, address, size, low, high }: Access): OneOf {
  const common = { id, size, address: address % 2 ** 32, addressHigh: Math.floor(address / 2 ** 32) };
  if (!write) return { case: 'read', value: common };
  return { case: 'write', value: { ...common, valueLow: low, valueHigh: high, posted } };
}
