import { CONTRACT, type ContractField } from '../gen/southbridge/v1/contract.js';
import { DELIMITED, FIXED32, FIXED64, Reader, VARINT } from './reader.js';

/** A message of the contract: its fields by name. Every number is a JavaScript number, exact up to 53 bits. */
export type Wire = { [field: string]: unknown };

/** Thrown for bytes that are not protobuf. */
export class NotProtobuf extends Error {
  override readonly name = 'NotProtobuf';
}

type NamedField = ContractField & { readonly name: string };

interface Message {
  readonly fields: readonly NamedField[];
  readonly byNumber: ReadonlyMap<number, NamedField>;
}

const messages = new Map<string, Message>();

/** The fields of a message of the contract. */
export function fieldsOf(type: string): readonly NamedField[] {
  return messageOf(type).fields;
}

function messageOf(type: string): Message {
  let message = messages.get(type);
  if (!message) {
    const fields = Object.entries(CONTRACT[type] ?? {}).map(([name, field]) => ({ name, ...field }));
    message = { fields, byNumber: new Map(fields.map((field) => [field.number, field])) };
    messages.set(type, message);
  }
  return message;
}

function isMessage(type: string): boolean {
  return CONTRACT[type] !== undefined;
}

function wireTypeOf(type: string): number {
  if (type === 'fixed32') return FIXED32;
  if (type === 'double') return FIXED64;
  return type === 'string' || type === 'bytes' || isMessage(type) ? DELIMITED : VARINT;
}

/** What a field without presence has if it is missing. */
function zeroOf({ type, repeated, optional, oneof }: ContractField): unknown {
  if (repeated) return [];
  if (optional || oneof || isMessage(type)) return undefined;
  if (type === 'string') return '';
  if (type === 'bytes') return new Uint8Array();
  return type === 'bool' ? false : 0;
}

// Decoding

/** Called with the number of a field that the contract does not have, or not in this form. */
type OnUnknown = (number: number) => void;

/** Reads a message by the contract's table. Throws NotProtobuf, or what `onUnknown` throws. */
export function decode(type: string, body: Uint8Array, onUnknown: OnUnknown = () => {}): Wire {
  const reader = new Reader(body);
  const message = read(type, reader, reader.end, blank(type), onUnknown);
  if (reader.failed) throw new NotProtobuf('it ends too early, or is not protobuf');
  return message;
}

function blank(type: string): Wire {
  const message: Wire = {};
  for (const field of fieldsOf(type)) message[field.name] = zeroOf(field);
  return message;
}

function read(type: string, reader: Reader, end: number, message: Wire, onUnknown: OnUnknown): Wire {
  const owner = messageOf(type);
  while (!reader.failed && reader.at < end) {
    const tag = reader.uint32();
    const field = owner.byNumber.get(tag >>> 3);
    if (!field || !readField(owner, field, tag & 7, reader, message, onUnknown)) {
      reader.skip(tag);
      if (!reader.failed) onUnknown(tag >>> 3);
    }
  }
  if (reader.at !== end) reader.failed = true;
  return message;
}

/** False if the field has another wire type than the contract says. */
function readField(
  owner: Message,
  field: NamedField,
  wireType: number,
  reader: Reader,
  message: Wire,
  onUnknown: OnUnknown,
): boolean {
  const { name, type, repeated, oneof } = field;
  const expected = wireTypeOf(type);
  if (repeated) {
    const list = message[name] as unknown[];
    if (wireType === expected) list.push(readValue(field, reader, undefined, onUnknown));
    else if (wireType === DELIMITED) {
      for (const end = reader.nested(); !reader.failed && reader.at < end; ) {
        list.push(readValue(field, reader, undefined, onUnknown));
      }
    } else return false;
    return true;
  }
  if (wireType !== expected) return false;
  const value = readValue(field, reader, message[name], onUnknown);
  if (oneof) for (const other of owner.fields) if (other.oneof === oneof) message[other.name] = undefined;
  message[name] = value;
  return true;
}

function readValue({ type }: NamedField, reader: Reader, before: unknown, onUnknown: OnUnknown): unknown {
  switch (type) {
    case 'uint32':
    case 'enum':
      return reader.uint32();
    case 'uint64':
      return reader.uint64();
    case 'bool':
      return reader.bool();
    case 'fixed32':
      return reader.fixed32();
    case 'double':
      return reader.double();
    case 'string':
      return reader.string();
    case 'bytes':
      return reader.delimited();
    default:
      return read(type, reader, reader.nested(), (before as Wire) ?? blank(type), onUnknown);
  }
}

// Encoding

/** Writes a message by the contract's table, as a library does: in the order of the contract, zeros left out. */
export function encode(type: string, message: Wire): Uint8Array {
  const bytes: number[] = [];
  writeMessage(bytes, type, message);
  return Uint8Array.from(bytes);
}

function writeMessage(bytes: number[], type: string, message: Wire): void {
  for (const field of fieldsOf(type)) {
    const value = message[field.name];
    if (value === undefined) continue;
    if (field.repeated) writeList(bytes, field, value as readonly unknown[]);
    else if (field.optional || field.oneof || !isZero(value)) {
      writeTag(bytes, field, wireTypeOf(field.type));
      writeValue(bytes, field.type, value);
    }
  }
}

/** Numbers are packed. */
function writeList(bytes: number[], field: NamedField, values: readonly unknown[]): void {
  const wireType = wireTypeOf(field.type);
  if (wireType === DELIMITED) {
    for (const value of values) {
      writeTag(bytes, field, wireType);
      writeValue(bytes, field.type, value);
    }
  } else if (values.length > 0) {
    const packed: number[] = [];
    for (const value of values) writeValue(packed, field.type, value);
    writeTag(bytes, field, DELIMITED);
    writeBytes(bytes, packed);
  }
}

function isZero(value: unknown): boolean {
  return value === 0 || value === false || value === '' || (value instanceof Uint8Array && value.length === 0);
}

function writeTag(bytes: number[], { number }: ContractField, wireType: number): void {
  writeVarint(bytes, number * 8 + wireType);
}

function writeValue(bytes: number[], type: string, value: unknown): void {
  switch (type) {
    case 'uint32':
    case 'uint64':
    case 'enum':
    case 'bool':
      writeVarint(bytes, Number(value));
      break;
    case 'fixed32':
      bytes.push(...new Uint8Array(littleEndian(4, (view) => view.setUint32(0, value as number, true))));
      break;
    case 'double':
      bytes.push(...new Uint8Array(littleEndian(8, (view) => view.setFloat64(0, value as number, true))));
      break;
    case 'string':
      writeBytes(bytes, text.encode(value as string));
      break;
    case 'bytes':
      writeBytes(bytes, value as Uint8Array);
      break;
    default: {
      const nested: number[] = [];
      writeMessage(nested, type, value as Wire);
      writeBytes(bytes, nested);
    }
  }
}

const text = new TextEncoder();

function littleEndian(length: number, set: (view: DataView) => void): ArrayBuffer {
  const buffer = new ArrayBuffer(length);
  set(new DataView(buffer));
  return buffer;
}

function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
}

function writeBytes(bytes: number[], content: ArrayLike<number>): void {
  writeVarint(bytes, content.length);
  for (let index = 0; index < content.length; index++) bytes.push(content[index]);
}
