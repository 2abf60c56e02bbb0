import { type DescMessage, fromBinary, type Message, type MessageShape } from '@bufbuild/protobuf';
import { SouthbridgeError } from '../../errors.js';
import type { Access, ClientMessage } from '../client-message.js';
import { RefusedFrame } from '../codec.js';
import * as pb from '../gen/southbridge/v1/client_pb.js';
import { DESTINATION_FORMATS, IRQ_KINDS, type IrqKind } from '../names.js';
import { type AccessFields, readAccess, readBatch } from './access-body.js';
import { Reader } from './reader.js';
import { malformed, readRecords } from './record.js';

type ReadBody = (body: Uint8Array) => ClientMessage;

/** Reads what a field of ClientMessage holds. Throws RefusedFrame. */
export function readBody(field: number, body: Uint8Array): ClientMessage {
  return (BODIES[field] as ReadBody)(body);
}

const MAX_BYTE = 0xff;
const MAX_PORT = 0xffff;
const BYTE = 'an integer from 0 to 255';

/** By field number. By hand what is frequent, as long as it is in order; the library reads all else. */
const BODIES: { readonly [field: number]: ReadBody } = {
  1: by(pb.ClientHelloSchema, ({ id, version, capabilities }) => {
    if (version === 0) throw badValue('version', 'an integer from 1');
    return { type: 'hello', id, version, capabilities };
  }),
  2: (body) => {
    const fields = readAccess(body, false);
    return fields ? checked(fields.id, () => access(fields, false)) : readSlowly(body);
  },
  3: (body) => {
    const fields = readAccess(body, true);
    return fields ? checked(fields.id, () => access(fields, true)) : writeSlowly(body);
  },
  4: (body) => {
    const fields = readBatch(body);
    return fields ? checked(fields.id, () => batch(fields)) : batchSlowly(body);
  },
  5: by(pb.PortInSchema, ({ id, port }) => ({ type: 'in', id, port: portOf(port) })),
  6: by(pb.PortOutSchema, ({ id, port, value }) => ({
    type: 'out',
    id,
    port: portOf(port),
    value: byte('value', value),
  })),
  7: by(pb.InterruptAcknowledgeSchema, ({ id }) => ({ type: 'inta', id })),
  8: by(pb.SetLineSchema, ({ id, gsi, level }) => {
    if (gsi > 23) throw new SouthbridgeError('bad-gsi', { gsi });
    return { type: 'line', id, gsi, level: Number(level) };
  }),
  9: by(pb.EndOfInterruptSchema, ({ id, vector }) => {
    if (vector > MAX_BYTE) throw new SouthbridgeError('bad-vector', { vector });
    return { type: 'eoi', id, vector };
  }),
  10: by(pb.SetApicSchema, ({ id, logicalId, format }) => ({
    type: 'apic',
    id,
    logicalId: byte('logical_id', logicalId),
    format: named(DESTINATION_FORMATS, format, 'format'),
  })),
  11: by(pb.ClockStepSchema, ({ id, ns }) => ({ type: 'step', id, ns: Number(ns) })),
  12: by(pb.SyncSchema, ({ id }) => ({ type: 'sync', id })),
  13: by(pb.SubscribeSchema, ({ id, kinds }) => ({ type: 'subscribe', id, kinds: kindsOf(kinds) })),
};

const readSlowly = by(pb.ReadSchema, (fields) =>
  access({ ...fields, valueLow: 0, valueHigh: 0, posted: false }, false),
);
const writeSlowly = by(pb.WriteSchema, (fields) => access(fields, true));
const batchSlowly = by(pb.BatchSchema, batch);

/** With the library. */
function by<T extends DescMessage>(
  schema: T,
  convert: (message: MessageShape<T> & { readonly id: number }) => ClientMessage,
): ReadBody {
  return (body) => {
    const message = parse(schema, body) as MessageShape<T> & { readonly id: number };
    return checked(message.id, () => {
      refuseUnknown(schema, message);
      return convert(message);
    });
  };
}

function parse<T extends DescMessage>(schema: T, body: Uint8Array): MessageShape<T> {
  try {
    return fromBinary(schema, body);
  } catch (error) {
    throw new RefusedFrame(firstId(body), malformed(`its body is no ${schema.name}: ${(error as Error).message}`));
  }
}

/** The id of a body that is not protobuf throughout, if it begins with one. */
function firstId(body: Uint8Array): number | undefined {
  if (body[0] !== 0x08) return undefined;
  const reader = new Reader(body, 1, body.length);
  const id = reader.uint32();
  return reader.failed ? undefined : id;
}

function checked(id: number, convert: () => ClientMessage): ClientMessage {
  try {
    return convert();
  } catch (error) {
    throw new RefusedFrame(id, error);
  }
}

/** A field that this version does not know may change what the request means. */
function refuseUnknown(schema: DescMessage, { $unknown }: Message): void {
  if (!$unknown?.length) return;
  throw new SouthbridgeError('unknown-key', {
    key: `${schema.name} field ${$unknown[0].no}`,
    allowed: schema.fields.map(({ number, name }) => `${number} ${name}`).join(', '),
  });
}

function access(fields: AccessFields, write: boolean): ClientMessage {
  const { id, size, address: addressLow, addressHigh, valueLow, valueHigh, posted } = fields;
  if (size !== 1 && size !== 2 && size !== 4 && size !== 8) throw new SouthbridgeError('bad-size', { size });
  const address = addressHigh * 2 ** 32 + addressLow;
  if (!Number.isSafeInteger(address)) {
    const text = `0x${addressHigh.toString(16)}${addressLow.toString(16).padStart(8, '0')}`;
    throw new SouthbridgeError('address-unassigned', { address: text, size });
  }
  return { type: 'access', id, access: { write, posted, address, size, low: valueLow, high: valueHigh } };
}

function batch({ id, accesses }: { readonly id: number; readonly accesses: Uint8Array }): {
  readonly type: 'batch';
  readonly id: number;
  readonly accesses: readonly Access[];
} {
  return { type: 'batch', id, accesses: readRecords(accesses) };
}

function portOf(port: number): number {
  if (port > MAX_PORT) throw badValue('port', 'an integer from 0 to 65535');
  return port;
}

function byte(key: string, value: number): number {
  if (value > MAX_BYTE) throw badValue(key, BYTE);
  return value;
}

function kindsOf(numbers: readonly number[]): IrqKind[] {
  const kinds = numbers.map((number) => named(IRQ_KINDS, number, 'kinds'));
  if (new Set(kinds).size < kinds.length) throw badValue('kinds', 'a list without repetition');
  return kinds;
}

/** The name of an enumeration's value, of which the first is not used. */
function named<T extends string>(names: readonly T[], number: number, key: string): T {
  const name = names[number - 1];
  if (name === undefined)
    throw badValue(key, `one of ${names.map((each, index) => `${index + 1} ${each}`).join(', ')}`);
  return name;
}

function badValue(key: string, expected: string): SouthbridgeError {
  return new SouthbridgeError('bad-value', { key, expected });
}
