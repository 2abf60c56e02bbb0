import { type ErrorBody, SouthbridgeError } from '../errors.js';
import { type TSchema, Type } from '../schema/type.js';
import type { Access, ClientMessage } from './client-message.js';
import {
  DECIMAL,
  Description,
  each,
  type Fields,
  flag,
  flat,
  LEVEL,
  named,
  nested,
  numbered,
  PLAIN,
  type Property,
  property,
  type Semantic,
} from './description.js';
import { type AccessRequest, accessRequest, parseAccess } from './json/access.js';
import { Address, BatchAccess, Byte, Gsi, Id, Level, Nanoseconds, Port, Size, Value, Vector } from './json/schemas.js';
import { CAUSES, DELIVERY_MODE_NAMES, DESTINATION_FORMATS, IRQ_KINDS } from './names.js';
import { readRecords, resultBytes, resultWords, writeRecords } from './records.js';
import type { BatchResults, ServerMessage } from './server-message.js';
import { formatValue, highOf, lowOf } from './values.js';

/**
 * The description of each message: what its fields mean. Names, numbers and types of fields are those of the contract in
 * `proto/`; this adds what differs from them in memory or in JSON. Both forms, in both directions, follow from it. Only the
 * binary form of frequent messages is written by hand as well: `hot.ts`.
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
  step: request('clockStep', 'ClockStep', { ns: nanoseconds }),
  sync: request('sync', 'Sync'),
  subscribe: request('subscribe', 'Subscribe', { kinds: property('kinds', kinds) }),
};

/** `field` of ClientMessage. */
function request(field: string, type: string, special: ConstructorParameters<typeof Description>[1] = {}) {
  return { field, description: new Description(type, { id, ...special }) };
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

// Answers and events

/** A property that is there in memory, if only as undefined, in every message that is read. */
function kept(given: Property, key: string): Property {
  return {
    ...given,
    fromWire(wire, message) {
      message[key] = undefined;
      given.fromWire(wire, message);
    },
    fromJson(json, message) {
      message[key] = undefined;
      given.fromJson(json, message);
    },
  };
}

const lines = nested(new Description('LineLevels'));

const apicMessage = new Description('ApicMessage', {
  deliveryMode: numbered(DELIVERY_MODE_NAMES),
  levelTriggered: property('level', flag('edge', 'level'), { wire: 'levelTriggered', json: 'triggerMode' }),
  logical: property('logical', flag('physical', 'logical'), { json: 'destinationMode' }),
});
const apic = flat('message', apicMessage, 'vector');

/** The value of a reply: its halves and size in the contract, hexadecimal text in JSON. */
const value: Property = {
  schemas: {},
  toWire({ value }, wire) {
    if (!value) return;
    const { size, low, high } = value as { readonly size: number; readonly low: number; readonly high: number };
    Object.assign(wire, { size, valueLow: low, valueHigh: high });
  },
  fromWire({ size, valueLow, valueHigh }, message) {
    if (size !== 0) message.value = { low: valueLow, high: valueHigh, size };
  },
  toJson({ value }, json) {
    if (value) json.value = valueText(value as Parameters<typeof valueText>[0]);
  },
  fromJson({ value }, message) {
    if (value !== undefined) message.value = valueIn(value as string);
  },
};

function valueText({
  low,
  high,
  size,
}: {
  readonly low: number;
  readonly high: number;
  readonly size: number;
}): string {
  return formatValue(low, high, size);
}

function valueIn(text: string) {
  return { low: lowOf(text), high: highOf(text), size: text.length / 2 - 1 };
}

/** What a batch gave: packed in the contract, with faults beside it; a list with an object for each access in JSON. */
const results: Property = {
  schemas: {},
  toWire({ results }, wire) {
    if (!results) return;
    const { faults } = results as BatchResults;
    wire.results = resultBytes(results as BatchResults);
    wire.faults = faults.map(({ index, error }) => ({ index, error: error && ERROR.toWire(withDetails(error)) }));
  },
  fromWire({ results, faults }, message) {
    if (!results) return;
    const read = (faults as Fields[]).map(({ index, error }) => ({
      index,
      error: withoutDetails(ERROR.fromWire((error as Fields) ?? { details: [] })),
    }));
    message.results = { values: resultWords(results as Uint8Array), sizes: undefined, faults: read };
  },
  toJson({ results }, json) {
    if (!results) return;
    const { values, sizes, faults } = results as BatchResults;
    const list: object[] = Array.from({ length: values.length / 2 }, (_, index) => {
      const size = sizes?.[index] ?? 0;
      return size === 0 ? {} : { value: formatValue(values[2 * index], values[2 * index + 1], size) };
    });
    for (const { index, error } of faults) list[index] = { error };
    json.results = list;
  },
  fromJson({ results }, message) {
    if (!results) return;
    const list = results as { readonly value?: string; readonly error?: ErrorBody['error'] }[];
    const read = list.map(({ value }) => (value === undefined ? { low: 0, high: 0, size: 0 } : valueIn(value)));
    message.results = {
      values: Uint32Array.from(read.flatMap(({ low, high }) => [low, high])),
      sizes: Uint8Array.from(read, ({ size }) => size),
      faults: list.flatMap(({ error }, index) => (error ? [{ index, error }] : [])),
    };
  },
};

/** An error of a batch has its details beside code and message. */
function withDetails({ code, message, ...details }: Fields): Fields {
  return { code, message, details };
}

function withoutDetails({ code = '', message = '', details }: Fields): Fields {
  return { code, message, ...(details as object) };
}

/** By name; what is neither text nor a number is JSON in the contract. */
const details: Property = property('details', {
  ...PLAIN,
  toWire: (details) =>
    Object.entries(details as object).map(([name, value]) => {
      if (typeof value === 'number') return { name, number: value };
      return { name, text: typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)) };
    }),
  fromWire: (list) =>
    Object.fromEntries((list as Fields[]).map(({ name, text, number }) => [name, number ?? text ?? ''])),
});

const ERROR = new Description('Error', { id: kept(property('id', PLAIN), 'id'), details });

const DETAILS: { readonly [kind: string]: Description } = {
  line: new Description('LineEvent'),
  apic: new Description('ApicEvent', { message: apic }),
  msi: new Description('MsiEvent'),
  intr: new Description('IntrEvent'),
};

/** What happened: one field of several in the contract, of which JSON has the fields beside those around it. */
const event: Property = {
  schemas: {},
  toWire({ event }, wire) {
    const { kind } = event as { readonly kind: string };
    wire[kind] = DETAILS[kind].toWire(event as Fields);
  },
  fromWire(wire, message) {
    for (const kind of IRQ_KINDS) {
      if (wire[kind]) message.event = DETAILS[kind].fromWire(wire[kind] as Fields, { kind });
    }
  },
  toJson({ event }, json) {
    const { kind } = event as { readonly kind: string };
    json.kind = kind;
    DETAILS[kind].toJson(event as Fields, json);
  },
  fromJson(json, message) {
    const kind = json.kind as string;
    message.event = DETAILS[kind]?.fromJson(json, { kind });
  },
};

/** Of cause `timer`: in JSON, an MSI has a key of this name as well. */
const timer: Property = {
  ...property('timer', PLAIN),
  fromJson(json, message) {
    message.timer = json.cause === 'timer' ? json.timer : undefined;
  },
};

/** Missing on an IRQ stream, where the contract has an empty list. */
const capabilities: Property = {
  ...property('capabilities', PLAIN),
  fromWire(wire, message) {
    if (wire.vcpu !== undefined) message.capabilities = wire.capabilities;
  },
};

const agreement = flat('agreement', new Description('Agreement'), 'version');

/** By type, which is also the field of ServerMessage. */
export const ANSWERS: { readonly [Type in ServerMessage['type']]: Description } = {
  hello: new Description('ServerHello', { capabilities, lines }),
  reply: new Description('Reply', {
    size: value,
    valueLow: undefined,
    valueHigh: undefined,
    results,
    faults: undefined,
    agreement,
  }),
  error: ERROR,
  interrupt: new Description('Interrupt', { message: apic }),
  intr: new Description('Intr'),
  irq: new Description('IrqEvent', {
    cause: named(CAUSES),
    timer: kept(timer, 'timer'),
    deadline: kept(property('deadline', DECIMAL), 'deadline'),
    lateness: kept(property('lateness', DECIMAL), 'lateness'),
    line: event,
    apic: undefined,
    msi: undefined,
    intr: undefined,
  }),
  gap: new Description('Gap', { lines }),
  credit: new Description('Credit'),
};
