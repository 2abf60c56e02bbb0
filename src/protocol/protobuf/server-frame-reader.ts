import type { ErrorCode } from '../../errors.js';
import { CAUSES } from '../names.js';
import type {
  ApicFields,
  BatchResults,
  ErrorMessage,
  Gap,
  Interrupt,
  Intr,
  Irq,
  IrqDetail,
  LineLevels,
  Reply,
  ServerHello,
  ServerMessage,
} from '../server-message.js';
import { Fields } from './fields.js';

/**
 * Reads what a server sent, by hand: a browser needs no library for it. Numbers of fields are those of
 * proto/southbridge/v1/server.proto and irq.proto. Throws NotProtobuf, or TypeError for a message of a later version.
 */
export function readServerFrame(frame: Uint8Array): ServerMessage {
  const fields = new Fields(frame);
  let message: ServerMessage | undefined;
  while (fields.next()) message = READERS[fields.number]?.(fields.bytes) ?? message;
  if (!message) throw new TypeError('the server sent a message of a type that is not known');
  return message;
}

const READERS: { readonly [field: number]: (body: Uint8Array) => ServerMessage } = {
  1: hello,
  2: reply,
  3: errorMessage,
  4: interrupt,
  5: intr,
  6: irq,
  7: gap,
  8: (body) => ({ type: 'credit', requests: numberOf(body, 1) }),
};

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A number that stands alone. */
function numberOf(body: Uint8Array, number: number): number {
  const fields = new Fields(body);
  let value = 0;
  while (fields.next()) if (fields.number === number) value = fields.value;
  return value;
}

function hello(body: Uint8Array): ServerHello {
  const fields = new Fields(body);
  const message: Mutable<ServerHello> = { type: 'hello', version: 0, machine: '', sequence: 0 };
  const capabilities: string[] = [];
  while (fields.next()) {
    if (fields.number === 1) message.version = fields.value;
    else if (fields.number === 2) message.machine = fields.text;
    else if (fields.number === 3) message.vcpu = fields.value;
    else if (fields.number === 4) message.clock = fields.text;
    else if (fields.number === 5) message.resumeToken = fields.text;
    else if (fields.number === 6) message.sequence = fields.value;
    else if (fields.number === 7) message.intr = fields.value;
    else if (fields.number === 8) capabilities.push(fields.text);
    else if (fields.number === 9) message.credit = fields.value;
    else if (fields.number === 10) message.lines = lines(fields.bytes);
  }
  return message.vcpu === undefined ? message : { ...message, capabilities };
}

function reply(body: Uint8Array): Reply {
  const fields = new Fields(body);
  const message: Mutable<Reply> = { type: 'reply', id: 0 };
  let size = 0;
  let low = 0;
  let high = 0;
  let results: Uint8Array | undefined;
  const faults: BatchResults['faults'][number][] = [];
  while (fields.next()) {
    if (fields.number === 1) message.id = fields.value;
    else if (fields.number === 2) size = fields.value;
    else if (fields.number === 3) low = fields.value;
    else if (fields.number === 4) high = fields.value;
    else if (fields.number === 5) message.vector = fields.value;
    else if (fields.number === 6) results = fields.bytes;
    else if (fields.number === 7) faults.push(fault(fields.bytes));
    else if (fields.number === 8) message.agreement = agreement(fields.bytes);
  }
  if (size !== 0) message.value = { low, high, size };
  if (results) message.results = { values: words(results), sizes: undefined, faults };
  return message;
}

function words(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(4 * index, true));
}

function fault(body: Uint8Array): BatchResults['faults'][number] {
  const fields = new Fields(body);
  let index = 0;
  let error: ErrorMessage | undefined;
  while (fields.next()) {
    if (fields.number === 1) index = fields.value;
    else if (fields.number === 2) error = errorMessage(fields.bytes);
  }
  const { code = '', message = '', details } = error ?? {};
  return { index, error: { code: code as ErrorCode, message, ...details } };
}

function agreement(body: Uint8Array): NonNullable<Reply['agreement']> {
  const fields = new Fields(body);
  const capabilities: string[] = [];
  let version = 0;
  while (fields.next()) {
    if (fields.number === 1) version = fields.value;
    else if (fields.number === 2) capabilities.push(fields.text);
  }
  return { version, capabilities };
}

function errorMessage(body: Uint8Array): ErrorMessage {
  const fields = new Fields(body);
  const details: { [name: string]: unknown } = {};
  const message: Mutable<ErrorMessage> = { type: 'error', id: undefined, code: '', message: '', details };
  while (fields.next()) {
    if (fields.number === 1) message.id = fields.value;
    else if (fields.number === 2) message.code = fields.text;
    else if (fields.number === 3) message.message = fields.text;
    else if (fields.number === 4) Object.assign(details, detail(fields.bytes));
  }
  return message;
}

function detail(body: Uint8Array): { readonly [name: string]: unknown } {
  const fields = new Fields(body);
  let name = '';
  let value: unknown = '';
  while (fields.next()) {
    if (fields.number === 1) name = fields.text;
    else if (fields.number === 2) value = fields.text;
    else if (fields.number === 3) value = fields.double;
  }
  return { [name]: value };
}

function interrupt(body: Uint8Array): Interrupt {
  const fields = new Fields(body);
  let sequence = 0;
  let message = apic(new Uint8Array());
  while (fields.next()) {
    if (fields.number === 1) sequence = fields.value;
    else if (fields.number === 2) message = apic(fields.bytes);
  }
  return { type: 'interrupt', sequence, message };
}

function intr(body: Uint8Array): Intr {
  return { type: 'intr', sequence: numberOf(body, 1), level: numberOf(body, 2) };
}

function gap(body: Uint8Array): Gap {
  const fields = new Fields(body);
  const message: Mutable<Gap> = { type: 'gap', from: 0, to: 0 };
  while (fields.next()) {
    if (fields.number === 1) message.from = fields.value;
    else if (fields.number === 2) message.to = fields.value;
    else if (fields.number === 3) message.lines = lines(fields.bytes);
  }
  return message;
}

function lines(body: Uint8Array): LineLevels {
  return { hpet: numberOf(body, 1), external: numberOf(body, 2) };
}

function apic(body: Uint8Array): ApicFields {
  const fields = new Fields(body);
  const message = { vector: 0, deliveryMode: 0, level: false, logical: false, destination: 0 };
  while (fields.next()) {
    if (fields.number === 1) message.vector = fields.value;
    else if (fields.number === 2) message.deliveryMode = fields.value;
    else if (fields.number === 3) message.level = fields.value !== 0;
    else if (fields.number === 4) message.logical = fields.value !== 0;
    else if (fields.number === 5) message.destination = fields.value;
  }
  return message;
}

function irq(body: Uint8Array): Irq {
  const fields = new Fields(body);
  const message: Mutable<Irq> = {
    type: 'irq',
    sequence: 0,
    cause: CAUSES[0],
    timer: undefined,
    virtualTime: 0,
    wallTime: 0,
    deadline: undefined,
    lateness: undefined,
    event: { kind: 'intr', level: 0 },
  };
  while (fields.next()) {
    if (fields.number === 1) message.sequence = fields.value;
    else if (fields.number === 2) message.cause = CAUSES[fields.value - 1];
    else if (fields.number === 3) message.timer = fields.value;
    else if (fields.number === 4) message.virtualTime = fields.value;
    else if (fields.number === 5) message.wallTime = fields.value;
    else if (fields.number === 6) message.deadline = fields.value;
    else if (fields.number === 7) message.lateness = fields.value;
    else if (fields.number >= 8 && fields.number <= 11) message.event = irqDetail(fields.number, fields.bytes);
  }
  return message;
}

function irqDetail(kind: number, body: Uint8Array): IrqDetail {
  const fields = new Fields(body);
  let first = 0;
  let second = 0;
  let third = 0;
  let bytes = new Uint8Array();
  while (fields.next()) {
    if (fields.number === 1) first = fields.value;
    else if (fields.number === 2) {
      second = fields.value;
      bytes = fields.bytes as Uint8Array<ArrayBuffer>;
    } else if (fields.number === 3) {
      third = fields.value;
      bytes = fields.bytes as Uint8Array<ArrayBuffer>;
    }
  }
  if (kind === 8) return { kind: 'line', gsi: first, level: second, source: new TextDecoder().decode(bytes) };
  if (kind === 9) return { kind: 'apic', pin: first, message: apic(bytes) };
  if (kind === 10) return { kind: 'msi', timer: first, address: second, data: third };
  return { kind: 'intr', level: first };
}
