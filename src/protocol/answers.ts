import type { ErrorBody } from '../errors.js';
import {
  DECIMAL,
  Description,
  type Fields,
  flag,
  flat,
  named,
  nested,
  numbered,
  PLAIN,
  type Property,
  property,
} from './description.js';
import { CAUSES, DELIVERY_MODE_NAMES, IRQ_KINDS } from './names.js';
import { resultBytes, resultWords } from './records.js';
import type { BatchResults, ServerMessage } from './server-message.js';
import { formatValue, highOf, lowOf } from './values.js';

/** The description of each answer and event, as `messages.ts` has that of each request. */

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

/** Addresses of nodes; missing outside clusters, where the contract has an empty list. */
const nodes: Property = {
  ...property('nodes', PLAIN),
  fromWire(wire, message) {
    if (wire.fence !== undefined) message.nodes = wire.nodes;
  },
};

const agreement = flat('agreement', new Description('Agreement'), 'version');

/** By type, which is also the field of ServerMessage. */
export const ANSWERS: { readonly [Type in ServerMessage['type']]: Description } = {
  hello: new Description('ServerHello', { capabilities, lines, nodes }),
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
  restored: new Description('Restored', { age: PLAIN, lines }),
};
