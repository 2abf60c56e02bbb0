import { SouthbridgeError } from '../../errors.js';
import type { ClientMessage } from '../client-message.js';
import { RefusedFrame } from '../codec.js';
import { ClientMessageSchema } from '../gen/southbridge/v1/client_pb.js';
import { readBody } from './bodies.js';
import { Reader } from './reader.js';
import { malformed } from './record.js';

const DELIMITED = 2;
const FIELDS: ReadonlyMap<number, string> = new Map(
  ClientMessageSchema.fields.map((field) => [field.number, field.name]),
);

/** Reads a binary frame: exactly one field of ClientMessage. Throws RefusedFrame. */
export function decodeClientFrame(frame: Uint8Array): ClientMessage {
  try {
    const header = new Reader(frame, 0, frame.length);
    const field = messageField(header);
    const body = header.delimited();
    if (header.failed) throw malformed('it ends too early');
    if (!header.done) throw malformed('it has more than one field');
    return readBody(field, body);
  } catch (error) {
    throw error instanceof RefusedFrame ? error : new RefusedFrame(undefined, error);
  }
}

function messageField(header: Reader): number {
  const tag = header.uint32();
  const field = tag >>> 3;
  if (header.failed || field === 0) throw malformed('it is not protobuf, or empty');
  if (!FIELDS.has(field)) {
    throw new SouthbridgeError('unknown-message-type', {
      type: `field ${field}`,
      allowed: [...FIELDS].map(([number, name]) => `${number} ${name}`).join(', '),
    });
  }
  if ((tag & 7) !== DELIMITED) throw malformed(`field ${field} is not a message`);
  return field;
}
