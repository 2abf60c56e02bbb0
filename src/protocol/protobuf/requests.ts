import { SouthbridgeError } from '../../errors.js';
import type { Acknowledged, ClientMessage } from '../client-message.js';
import { RefusedFrame } from '../codec.js';
import type { Description, Fields } from '../description.js';
import { nextAck, readAck, readRequestBody, requestFrame, withAck } from '../hot-requests.js';
import {
  CARRIED_ACK,
  checkRequest,
  checkVersion,
  isRequest,
  isRequestName,
  messageNames,
  REQUESTS,
  requestType,
  typeOfRequest,
} from '../messages.js';
import { malformed } from '../records.js';
import { DELIMITED, Reader } from './reader.js';
import { decode, encode, fieldsOf, NotProtobuf } from './table.js';

/** One frame for a request. Throws SouthbridgeError for addresses beyond 48 bits in a batch. */
export function clientFrame(message: ClientMessage): Uint8Array {
  const frame = requestFrame(message);
  if (!frame) return describedRequest(message);
  return isRequest(message) && message.ack ? withAck(frame, message.ack) : frame;
}

/** The same frame, by the description alone. */
export function describedRequest(message: ClientMessage): Uint8Array {
  const { field, description } = REQUESTS[requestType(message)];
  const wire = { [field]: description.toWire({ ...message }) };
  CARRIED_ACK.toWire({ ...message }, wire);
  return encode('ClientMessage', wire);
}

/** Names in JSON, by the number of the field. */
const NAMES = namesOf(messageNames(true));
const NAMES_OF_VERSION_1 = namesOf(messageNames(false));

function namesOf(names: readonly string[]): ReadonlyMap<number, string> {
  const numberOf = (name: string) => fieldsOf('ClientMessage').find((each) => each.name === REQUESTS[name].field);
  return new Map(names.map((name) => [numberOf(name)?.number ?? 0, name]));
}

/**
 * Reads a binary frame, the bytes from `from` to before `end`: exactly one message, beside which a request of version 1.1 (`hasSessions`) may have an acknowledgement.
 * Throws RefusedFrame.
 */
export function readClientFrame(frame: Uint8Array, hasSessions: boolean, from: number, end: number): ClientMessage {
  const header = new Reader(frame, from, end);
  let field: number;
  let bodyFrom: number;
  let bodyEnd: number;
  let ack: Uint8Array | undefined;
  try {
    if (hasSessions && frame[from] > 0x7f) ack = nextAck(header);
    field = messageField(header, hasSessions ? NAMES : NAMES_OF_VERSION_1);
    bodyEnd = header.nested();
    bodyFrom = header.at;
    if (!header.failed) header.at = bodyEnd;
    if (hasSessions && !ack && !header.done) ack = nextAck(header);
    if (header.failed) throw malformed('it ends too early');
    if (!header.done) throw malformed('it has more than one field');
  } catch (error) {
    throw new RefusedFrame(undefined, error);
  }
  let message: ClientMessage;
  try {
    message =
      readRequestBody(field, new Reader(frame, bodyFrom, bodyEnd)) ??
      describedBody(field, frame.subarray(bodyFrom, bodyEnd));
    if (ack) message = { ...message, ack: carriedAck(ack, field) } as ClientMessage;
  } catch (error) {
    throw new RefusedFrame(
      idIn(new Reader(frame, bodyFrom, bodyEnd)) ?? (error instanceof NotProtobuf ? undefined : 0),
      refusalOf(error, field),
    );
  }
  try {
    checkVersion(message, hasSessions);
    checkRequest(message);
  } catch (error) {
    throw new RefusedFrame(isRequest(message) ? message.id : undefined, error);
  }
  return message;
}

function messageField(header: Reader, names: ReadonlyMap<number, string>): number {
  const tag = header.uint32();
  const field = tag >>> 3;
  if (header.failed || field === 0) throw malformed('it is not protobuf, or empty');
  if (!names.has(field)) {
    throw new SouthbridgeError('unknown-message-type', {
      type: `field ${field}`,
      allowed: [...names].map(([number, name]) => `${number} ${snakeCase(REQUESTS[name].field)}`).join(', '),
    });
  }
  if ((tag & 7) !== DELIMITED) throw malformed(`field ${field} is not a message`);
  return field;
}

/** Reads an acknowledgement beside the message of this field. Throws as `describedBody`. */
function carriedAck(body: Uint8Array, field: number): Acknowledged {
  const name = NAMES.get(field) ?? '';
  if (!isRequestName(name)) throw new SouthbridgeError('unknown-key', { key: 'ack', allowed: REQUESTS[name].field });
  return readAck(new Reader(body)) ?? (described(REQUESTS.ack.description, body, {}) as unknown as Acknowledged);
}

/** Reads a body by the description. Throws NotProtobuf, or what is wrong with the message. */
function describedBody(field: number, body: Uint8Array): ClientMessage {
  const name = NAMES.get(field) ?? '';
  return described(REQUESTS[name].description, body, { type: typeOfRequest(name) }) as unknown as ClientMessage;
}

function described(description: Description, body: Uint8Array, message: Fields): Fields {
  const unknown: number[] = [];
  const wire = decode(description.type, body, (number) => unknown.push(number));
  if (unknown.length > 0) throw unknownField(description.type, unknown[0]);
  return description.fromWire(wire, message);
}

/** A field that this version does not know may change what the request means. */
function unknownField(type: string, number: number): SouthbridgeError {
  return new SouthbridgeError('unknown-key', {
    key: `${type} field ${number}`,
    allowed: fieldsOf(type)
      .map((field) => `${field.number} ${snakeCase(field.name)}`)
      .join(', '),
  });
}

function refusalOf(error: unknown, field: number): unknown {
  if (!(error instanceof NotProtobuf)) return error;
  return malformed(`its body is not a ${REQUESTS[NAMES.get(field) ?? ''].description.type}: ${error.message}`);
}

/** The id in a body of which the rest may be anything. */
function idIn(reader: Reader): number | undefined {
  let id: number | undefined;
  while (!reader.done) {
    const tag = reader.uint32();
    if (tag !== 0x08) reader.skip(tag);
    else {
      const value = reader.uint32();
      if (!reader.failed) id = value;
    }
  }
  return id;
}

/** The name of a field as the contract spells it. */
function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
