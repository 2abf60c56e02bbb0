import { SouthbridgeError } from '../errors.js';
import { type TSchema, Type } from '../schema/type.js';
import type { Access, CarryingRequest, ClientMessage } from './client-message.js';
import {
  DECIMAL,
  Description,
  each,
  type Fields,
  LEVEL,
  named,
  nested,
  PLAIN,
  type Property,
  property,
  type Semantic,
} from './description.js';
import { type AccessRequest, accessRequest, parseAccess } from './json/access.js';
import {
  Address,
  BatchAccess,
  Byte,
  CLOSED,
  Count,
  Gsi,
  Id,
  Level,
  Nanoseconds,
  Port,
  SessionName,
  Size,
  Value,
  Vector,
} from './json/schemas.js';
import { DESTINATION_FORMATS, INPUTS, IRQ_KINDS } from './names.js';
import { readRecords, writeRecords } from './records.js';
import { formatAddress, formatValue } from './values.js';

/**
 * The description of each message: what its fields mean. Names, numbers and types of fields are those of the contract in
 * `proto/`; this adds what differs from them in memory or in JSON. Both forms, in both directions, follow from it. Only the
 * binary form of frequent messages is written by hand as well: `hot-requests.ts` and `hot-answers.ts`.
 */

// What values mean

function badValue(key: string, expected: string): SouthbridgeError {
  return new SouthbridgeError('bad-value', { key, expected });
}

/** Refuses what came in the binary form if it is not from `least` to `most`. */
function bounded(
  semantic: Semantic,
  schema: TSchema,
  [least, most]: readonly [number, number],
  error = (key: string, _value: number) => badValue(key, `an integer from ${least} to ${most}`),
): Semantic {
  return {
    ...semantic,
    schema,
    check: (value, key) => {
      if ((value as number) < least || (value as number) > most) throw error(key, value as number);
    },
  };
}

/** A name, which is refused if the contract has none for the number that came. */
function name(names: readonly string[]): Semantic {
  const expected = `one of ${names.map((each, index) => `${index + 1} ${each}`).join(', ')}`;
  return {
    ...named(names),
    schema: Type.Enum([...names]),
    check: (value, key) => {
      if (typeof value !== 'string') throw badValue(key, expected);
    },
  };
}

const id: Semantic = { ...PLAIN, schema: Id };
const version = bounded(PLAIN, Type.Integer({ minimum: 1, maximum: 0xffffffff }), [1, 0xffffffff], (key) =>
  badValue(key, 'an integer from 1'),
);
const logicalId = bounded(PLAIN, Type.Integer({ minimum: 0, maximum: 255 }), [0, 255]);
const vector = bounded(PLAIN, Vector, [0, 255], (_, value) => new SouthbridgeError('bad-vector', { vector: value }));
const gsi = bounded(PLAIN, Gsi, [0, 23], (_, value) => new SouthbridgeError('bad-gsi', { gsi: value }));
const level: Semantic = { ...LEVEL, schema: Level };
const nanoseconds: Semantic = { ...DECIMAL, schema: Nanoseconds };
const count: Semantic = { ...DECIMAL, schema: Count };
const epoch: Semantic = { ...PLAIN, schema: Type.String() };
const session: Semantic = {
  ...PLAIN,
  schema: SessionName,
  check: (value, key) => {
    const { length } = value as string;
    if (length < 1 || length > 64) throw badValue(key, 'a name of 1 to 64 characters');
  },
};
const texts: Semantic = { ...PLAIN, schema: Type.Array(Type.String()) };

const port = bounded(
  { ...PLAIN, toJson: (value) => `0x${(value as number).toString(16)}`, fromJson: Number },
  Port,
  [0, 0xffff],
);
const byte = bounded(
  { ...PLAIN, toJson: (value) => formatValue(value as number, 0, 1), fromJson: Number },
  Byte,
  [0, 0xff],
);

const kinds: Semantic = {
  ...each(name(IRQ_KINDS)),
  schema: Type.Array(Type.Enum([...IRQ_KINDS]), { uniqueItems: true }),
  check: (value, key) => {
    each(name(IRQ_KINDS)).check?.(value, key);
    if (new Set(value as []).size < (value as []).length) throw badValue(key, 'a list without repetition');
  },
};

// Accesses

/** The one access of a read or write: address, size and value are fields of the message. */
function accessOf(write: boolean): Property {
  return {
    schemas: write
      ? { address: Address, size: Size, value: Value, posted: Type.Optional(Type.Boolean()) }
      : { address: Address, size: Size },
    toWire({ access }, wire) {
      const { address, size, low, high, posted } = access as Access;
      Object.assign(wire, { size, address: address % 2 ** 32, addressHigh: Math.floor(address / 2 ** 32) });
      if (write) Object.assign(wire, { valueLow: low, valueHigh: high, posted });
    },
    fromWire(wire, message) {
      const {
        size,
        address,
        addressHigh,
        valueLow = 0,
        valueHigh = 0,
        posted = false,
      } = wire as Record<string, number>;
      message.access = {
        write,
        posted,
        address: addressHigh * 2 ** 32 + address,
        size,
        low: valueLow,
        high: valueHigh,
      };
    },
    toJson: ({ access }, json) => Object.assign(json, accessRequest(access as Access)),
    fromJson: (json, message) => {
      message.access = parseAccess(json as unknown as AccessRequest);
    },
    check: ({ access }) => checkForm(access as Access),
  };
}

/** Throws `bad-size`, or `address-unassigned` for an address of more than 53 bits. */
function checkForm({ address, size }: Access): void {
  if (size !== 1 && size !== 2 && size !== 4 && size !== 8) throw new SouthbridgeError('bad-size', { size });
  if (!Number.isSafeInteger(address)) {
    throw new SouthbridgeError('address-unassigned', { address: `0x${BigInt(address).toString(16)}`, size });
  }
}

const ACCESS_FIELDS = { address: undefined, addressHigh: undefined } as const;
const VALUE_FIELDS = { valueLow: undefined, valueHigh: undefined, posted: undefined } as const;

const records: Semantic = {
  schema: Type.Array(BatchAccess),
  toWire: (accesses) => writeRecords(accesses as Access[]),
  fromWire: (bytes) => readRecords(bytes as Uint8Array),
  toJson: (accesses) => (accesses as Access[]).map(accessRequest),
  fromJson: (accesses) => (accesses as AccessRequest[]).map(parseAccess),
};

// Steps

/** There only if it is true. */
const toDeadline: Property = {
  ...property('toDeadline', { ...PLAIN, schema: Type.Optional(Type.Boolean()) }),
  fromWire: (wire, message) => {
    if (wire.toDeadline) message.toDeadline = true;
  },
  fromJson: (json, message) => {
    if (json.toDeadline) message.toDeadline = true;
  },
};

const stepRead = new Description('StepRead', { size: accessOf(false), ...ACCESS_FIELDS });

/** An access, of which the forms have address and size. */
const read: Property = property('read', {
  schema: Type.Optional(Type.Object({ address: Address, size: Size }, CLOSED)),
  toWire: (access) => stepRead.toWire({ access }),
  fromWire: (wire) => stepRead.fromWire(wire as Fields).access,
  toJson: (access) => {
    const { address, size } = access as Access;
    return { address: formatAddress(address), size };
  },
  fromJson: (json) => parseAccess({ type: 'read', ...(json as Omit<AccessRequest, 'type'>) }),
  check: (access) => {
    if (access) checkForm(access as Access);
  },
});

// Requests

/** By name in JSON. */
export const REQUESTS: { readonly [type: string]: { readonly field: string; readonly description: Description } } = {
  hello: request('hello', 'ClientHello', { version, capabilities: property('capabilities', texts) }),
  read: request('read', 'Read', { size: accessOf(false), ...ACCESS_FIELDS }),
  write: request('write', 'Write', { size: accessOf(true), ...ACCESS_FIELDS, ...VALUE_FIELDS }),
  batch: request('batch', 'Batch', { accesses: records }),
  in: request('portIn', 'PortIn', { port }),
  out: request('portOut', 'PortOut', { port, value: byte }),
  inta: request('interruptAcknowledge', 'InterruptAcknowledge'),
  line: request('setLine', 'SetLine', { gsi, level }),
  eoi: request('endOfInterrupt', 'EndOfInterrupt', { vector }),
  apic: request('setApic', 'SetApic', { logicalId, format: name(DESTINATION_FORMATS) }),
  step: request('clockStep', 'ClockStep', { ns: nanoseconds, toDeadline, read }),
  input: request('setInput', 'SetInput', { input: name(INPUTS), level }),
  sync: request('sync', 'Sync'),
  subscribe: request('subscribe', 'Subscribe', { kinds: property('kinds', kinds) }),
  resume: message('resume', 'Resume', { session, epoch, event: count, reply: count }),
  ack: message('acknowledge', 'Acknowledge', { event: count, reply: count }),
};

type Special = ConstructorParameters<typeof Description>[1];

/** `field` of ClientMessage. */
function message(field: string, type: string, special: Special) {
  return { field, description: new Description(type, special) };
}

function request(field: string, type: string, special: Special = {}) {
  return message(field, type, { id, ...special });
}

/** Beside a request of version 1.1. */
export const CARRIED_ACK: Property = property('ack', {
  ...nested(REQUESTS.ack.description),
  schema: Type.Optional(Type.Object({ event: Count, reply: Count }, CLOSED)),
});

/** What version 1 does not have, by name in JSON: its servers refuse these as any unknown message. */
const OF_SESSIONS = ['resume', 'ack', 'input'];

/** Names in JSON of what a client can send; `hasSessions`: with a server of version 1.1. */
export function messageNames(hasSessions: boolean): string[] {
  const names = Object.keys(REQUESTS);
  return hasSessions ? names : names.filter((name) => !OF_SESSIONS.includes(name));
}

/** Throws `unknown-key` for fields that version 1 does not have. */
export function checkVersion(message: ClientMessage, hasSessions: boolean): void {
  if (hasSessions || message.type !== 'step') return;
  const key = message.toDeadline ? 'toDeadline' : message.read ? 'read' : undefined;
  if (key) throw new SouthbridgeError('unknown-key', { key, allowed: 'type, id, ns' });
}

/** Whether it has an id, and a reply or an error of this id. */
export function isRequest(message: ClientMessage): message is CarryingRequest {
  return isRequestName(message.type);
}

/** By name in JSON, or by type. */
export function isRequestName(name: string): boolean {
  return name !== 'resume' && name !== 'ack';
}

/** The name in JSON: an access is a read or a write. */
export function requestType(message: ClientMessage): string {
  return message.type === 'access' ? (message.access.write ? 'write' : 'read') : message.type;
}

/** The type in memory of a request with this name in JSON. */
export function typeOfRequest(name: string): string {
  return name === 'read' || name === 'write' ? 'access' : name;
}

/** Throws what is wrong with a request that came in the binary form, but for the addresses that the server serves. */
export function checkRequest(message: ClientMessage): void {
  // Nothing reads a table for the frequent ones.
  if (message.type === 'access') checkForm(message.access);
  else if (message.type === 'eoi') vector.check?.(message.vector, 'vector');
  else if (message.type === 'line') gsi.check?.(message.gsi, 'gsi');
  else if (message.type !== 'batch') REQUESTS[message.type].description.check({ ...message });
}
