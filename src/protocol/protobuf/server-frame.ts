import { toBinary } from '@bufbuild/protobuf';
import { ServerMessageSchema } from '../gen/southbridge/v1/server_pb.js';
import type { Interrupt, Reply, ServerMessage } from '../server-message.js';
import { resultBytes, serverProto } from './server-proto.js';
import { fieldLength, varintLength, Writer } from './writer.js';

/** Tags of ServerMessage, Reply, Interrupt and ApicMessage: field number << 3 | wire type. */
const REPLY = 0x12;
const INTERRUPT = 0x22;
const REPLY_SIZE = 0x10;
const REPLY_LOW = 0x1d;
const REPLY_HIGH = 0x25;
const REPLY_VECTOR = 0x28;
const REPLY_RESULTS = 0x32;
const INTERRUPT_MESSAGE = 0x12;
/** Field 1 with a varint: `id`, `sequence` or `vector`. */
const FIRST = 0x08;
const DELIVERY_MODE = 0x10;
const LEVEL_TRIGGERED = 0x18;
const LOGICAL = 0x20;
const DESTINATION = 0x28;

/** By hand what is frequent; the library writes all else. */
export function serverFrame(message: ServerMessage): Uint8Array {
  if (message.type === 'interrupt') return interruptFrame(message);
  if (message.type === 'reply' && !message.agreement && !message.results?.faults.length) return replyFrame(message);
  return toBinary(ServerMessageSchema, serverProto(message));
}

function replyFrame({ id, value, vector, results }: Reply): Uint8Array {
  const bytes = results && resultBytes(results);
  let length = fieldLength(id);
  if (value) length += fieldLength(value.size) + (value.low === 0 ? 0 : 5) + (value.high === 0 ? 0 : 5);
  if (vector !== undefined) length += 1 + varintLength(vector);
  if (bytes) length += 1 + varintLength(bytes.length) + bytes.length;
  const writer = new Writer(REPLY, length);
  writer.field(FIRST, id);
  if (value) {
    writer.field(REPLY_SIZE, value.size);
    writer.fixed32(REPLY_LOW, value.low);
    writer.fixed32(REPLY_HIGH, value.high);
  }
  if (vector !== undefined) writer.explicit(REPLY_VECTOR, vector);
  if (bytes) {
    writer.explicit(REPLY_RESULTS, bytes.length);
    writer.raw(bytes);
  }
  return writer.bytes;
}

function interruptFrame({ sequence, message }: Interrupt): Uint8Array {
  const inner =
    fieldLength(message.vector) +
    fieldLength(message.deliveryMode) +
    (message.level ? 2 : 0) +
    (message.logical ? 2 : 0) +
    fieldLength(message.destination);
  const writer = new Writer(INTERRUPT, fieldLength(sequence) + 2 + inner);
  writer.field(FIRST, sequence);
  writer.explicit(INTERRUPT_MESSAGE, inner);
  writer.field(FIRST, message.vector);
  writer.field(DELIVERY_MODE, message.deliveryMode);
  writer.field(LEVEL_TRIGGERED, Number(message.level));
  writer.field(LOGICAL, Number(message.logical));
  writer.field(DESTINATION, message.destination);
  return writer.bytes;
}
