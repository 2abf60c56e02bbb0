import { ANSWERS } from '../answers.js';
import { answerFrame, ERROR, INTERRUPT, INTR, IRQ, REPLY, readAnswerBody } from '../hot-answers.js';
import type { ServerMessage } from '../server-message.js';
import { DELIMITED, Reader } from './reader.js';
import { decode, encode, fieldsOf, NotProtobuf } from './table.js';

/** One frame for a message to a client. */
export function serverFrame(message: ServerMessage): Uint8Array {
  return answerFrame(message) ?? describedAnswer(message);
}

/** The same frame, by the description alone. */
export function describedAnswer(message: ServerMessage): Uint8Array {
  const { type } = message;
  return encode('ServerMessage', { [type]: ANSWERS[type].toWire({ ...message }) });
}

const TYPES = new Map(fieldsOf('ServerMessage').map(({ number, name }) => [number, name as ServerMessage['type']]));

/** Reads what a server sent. Throws NotProtobuf, or TypeError for a message of a later version. */
export function readServerFrame(frame: Uint8Array): ServerMessage {
  const reader = new Reader(frame);
  let message: ServerMessage | undefined;
  while (!reader.done) {
    const tag = reader.uint32();
    const type = TYPES.get(tag >>> 3);
    if (type === undefined || (tag & 7) !== DELIMITED) reader.skip(tag);
    else {
      const body = reader.delimited();
      if (!reader.failed) message = readAnswerBody(tag >>> 3, body) ?? described(type, body);
    }
  }
  if (reader.failed) throw new NotProtobuf('it ends too early');
  if (!message) throw new TypeError('the server sent a message of an unknown type');
  return message;
}

function described(type: ServerMessage['type'], body: Uint8Array): ServerMessage {
  const description = ANSWERS[type];
  return description.fromWire(decode(description.type, body), { type }) as unknown as ServerMessage;
}

/** Of which kind a server's frame is and, of a reply or an error, which request it belongs to, without reading the rest. */
export function headOf(frame: Uint8Array): { readonly field: number; readonly id: number | undefined } {
  const reader = new Reader(frame);
  const field = reader.uint32() >>> 3;
  if (field !== REPLY && field !== ERROR) return { field, id: undefined };
  reader.uint32();
  // An id is the first field of both. Zero is left out of a reply, but not of an error, where an id may be missing.
  if (reader.done || reader.uint32() !== 0x08) return { field, id: field === REPLY ? 0 : undefined };
  return { field, id: reader.uint32() };
}

/** The number of an interrupt, a change of INTR, or an event of the IRQ stream, without reading the rest; else undefined. */
export function sequenceIn(frame: Uint8Array): number | undefined {
  const reader = new Reader(frame);
  const field = reader.uint32() >>> 3;
  if (field !== INTERRUPT && field !== INTR && field !== IRQ) return undefined;
  reader.uint32();
  return reader.uint32() === 0x08 ? reader.uint64() : undefined;
}
