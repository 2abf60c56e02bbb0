import { CAUSES } from './names.js';
import { Reader } from './protobuf/reader.js';
import { envelope, fieldLength, numbersFrame, optionalLength, varintLength, Writer } from './protobuf/writer.js';
import { resultBytes, resultWords } from './records.js';
import type { ApicFields, Credit, Interrupt, Irq, IrqDetail, Reply, ServerMessage } from './server-message.js';

/**
 * The binary form of frequent answers and events, written by hand: nothing here reads a table. `answers.ts` describes the same
 * messages, and a test holds both, and a library, to the same bytes. Each function returns undefined for a message that it
 * leaves to the description. A tag is the field's number in `proto/`, times 8, plus 0 for a varint, 2 for bytes, 5 for a fixed32.
 */

const NOTHING = new Uint8Array();
const UTF8 = new TextEncoder();

// Answers and events, as a server writes them

/** Fields of ServerMessage. */
export const REPLY = 2;
export const ERROR = 3;
export const INTERRUPT = 4;
export const INTR = 5;
export const IRQ = 6;
export const CREDIT = 8;

export function answerFrame(message: ServerMessage): Uint8Array | undefined {
  switch (message.type) {
    case 'reply':
      return isFrequent(message) ? replyFrame(message) : undefined;
    case 'interrupt':
      return interruptFrame(message);
    case 'irq':
      return irqFrame(message);
    case 'intr':
      return numbersFrame(INTR, message.sequence, message.level, 0);
    case 'credit':
      return creditFrame(message);
    default:
      return undefined;
  }
}

/** Not that of a hello or a step, nor of a batch with faults. */
function isFrequent({ agreement, time, results }: Reply): boolean {
  return !agreement && time === undefined && !results?.faults.length;
}

function replyFrame({ id, value, vector, results }: Reply): Uint8Array {
  const bytes = results && resultBytes(results);
  let length = fieldLength(id) + optionalLength(vector);
  if (value) length += fieldLength(value.size) + (value.low === 0 ? 0 : 5) + (value.high === 0 ? 0 : 5);
  if (bytes) length += 1 + varintLength(bytes.length) + bytes.length;
  const writer = new Writer(envelope(REPLY), length);
  writer.field(0x08, id);
  if (value) {
    writer.field(0x10, value.size);
    writer.fixed32(0x1d, value.low);
    writer.fixed32(0x25, value.high);
  }
  writer.optional(0x28, vector);
  if (bytes) {
    writer.explicit(0x32, bytes.length);
    writer.raw(bytes);
  }
  return writer.bytes;
}

function creditFrame({ requests, request }: Credit): Uint8Array {
  const writer = new Writer(envelope(CREDIT), fieldLength(requests) + optionalLength(request));
  writer.field(0x08, requests);
  writer.optional(0x10, request);
  return writer.bytes;
}

function interruptFrame({ sequence, message }: Interrupt): Uint8Array {
  const inner = apicLength(message);
  const writer = new Writer(envelope(INTERRUPT), fieldLength(sequence) + 2 + inner);
  writer.field(0x08, sequence);
  writer.explicit(0x12, inner);
  writeApic(writer, message);
  return writer.bytes;
}

function apicLength({ vector, deliveryMode, level, logical, destination }: ApicFields): number {
  return (
    fieldLength(vector) + fieldLength(deliveryMode) + (level ? 2 : 0) + (logical ? 2 : 0) + fieldLength(destination)
  );
}

function writeApic(writer: Writer, { vector, deliveryMode, level, logical, destination }: ApicFields): void {
  writer.field(0x08, vector);
  writer.field(0x10, deliveryMode);
  writer.field(0x18, Number(level));
  writer.field(0x20, Number(logical));
  writer.field(0x28, destination);
}

function irqFrame({ sequence, cause, timer, virtualTime, wallTime, deadline, lateness, event }: Irq): Uint8Array {
  const source = event.kind === 'line' ? UTF8.encode(event.source) : NOTHING;
  const inner = detailLength(event, source.length);
  const times = fieldLength(virtualTime) + fieldLength(wallTime) + optionalLength(deadline) + optionalLength(lateness);
  const head = fieldLength(sequence) + 2 + optionalLength(timer);
  const writer = new Writer(envelope(IRQ), head + times + 1 + varintLength(inner) + inner);
  writer.field(0x08, sequence);
  writer.explicit(0x10, CAUSES.indexOf(cause) + 1);
  writer.optional(0x18, timer);
  writer.field(0x20, virtualTime);
  writer.field(0x28, wallTime);
  writer.optional(0x30, deadline);
  writer.optional(0x38, lateness);
  writer.explicit(envelope({ line: 8, apic: 9, msi: 10, intr: 11 }[event.kind]), inner);
  writeDetail(writer, event, source);
  return writer.bytes;
}

function detailLength(event: IrqDetail, source: number): number {
  switch (event.kind) {
    case 'line':
      return fieldLength(event.gsi) + fieldLength(event.level) + fieldLength(source) + source;
    case 'apic':
      return fieldLength(event.pin) + 2 + apicLength(event.message);
    case 'msi':
      return fieldLength(event.timer) + (event.address === 0 ? 0 : 5) + (event.data === 0 ? 0 : 5);
    case 'intr':
      return fieldLength(event.level);
  }
}

function writeDetail(writer: Writer, event: IrqDetail, source: Uint8Array): void {
  switch (event.kind) {
    case 'line':
      writer.field(0x08, event.gsi);
      writer.field(0x10, event.level);
      writer.field(0x1a, source.length);
      writer.raw(source);
      break;
    case 'apic':
      writer.field(0x08, event.pin);
      writer.explicit(0x12, apicLength(event.message));
      writeApic(writer, event.message);
      break;
    case 'msi':
      writer.field(0x08, event.timer);
      writer.fixed32(0x15, event.address);
      writer.fixed32(0x1d, event.data);
      break;
    case 'intr':
      writer.field(0x08, event.level);
  }
}

// Answers and events, as a client reads them

/** Reads a field of ServerMessage. */
export function readAnswerBody(field: number, body: Uint8Array): ServerMessage | undefined {
  const reader = new Reader(body);
  let message: ServerMessage | undefined;
  if (field === REPLY) message = readReply(reader);
  else if (field === INTERRUPT) message = readInterrupt(reader);
  else if (field === IRQ) message = readIrq(reader);
  else if (field === INTR) {
    const [sequence, level] = readTwo(reader);
    message = { type: 'intr', sequence, level };
  } else if (field === CREDIT) message = readCredit(reader);
  return reader.failed ? undefined : message;
}

function readCredit(reader: Reader): Credit {
  const credit: { -readonly [Key in keyof Credit]: Credit[Key] } = { type: 'credit', requests: 0 };
  while (!reader.done) {
    const tag = reader.uint32();
    if (tag === 0x08) credit.requests = reader.uint32();
    else if (tag === 0x10) credit.request = reader.uint64();
    else reader.skip(tag);
  }
  return credit;
}

/** The two first fields, which are numbers. */
function readTwo(reader: Reader): [first: number, second: number] {
  const numbers: [number, number] = [0, 0];
  while (!reader.done) {
    const tag = reader.uint32();
    if (tag === 0x08) numbers[0] = reader.uint64();
    else if (tag === 0x10) numbers[1] = reader.uint64();
    else reader.skip(tag);
  }
  return numbers;
}

function readReply(reader: Reader): Reply | undefined {
  const message: { -readonly [Key in keyof Reply]: Reply[Key] } = { type: 'reply', id: 0 };
  let size = 0;
  let low = 0;
  let high = 0;
  while (!reader.done) {
    const tag = reader.uint32();
    if (tag === 0x08) message.id = reader.uint32();
    else if (tag === 0x10) size = reader.uint32();
    else if (tag === 0x1d) low = reader.fixed32();
    else if (tag === 0x25) high = reader.fixed32();
    else if (tag === 0x28) message.vector = reader.uint32();
    else if (tag === 0x32) {
      message.results = { values: resultWords(reader.delimited()), sizes: undefined, faults: [] };
    } else return undefined;
  }
  if (size !== 0) message.value = { low, high, size };
  return message;
}

function readInterrupt(reader: Reader): Interrupt {
  let sequence = 0;
  let message: ApicFields = NO_MESSAGE;
  while (!reader.done) {
    const tag = reader.uint32();
    if (tag === 0x08) sequence = reader.uint64();
    else if (tag === 0x12) message = readApic(reader);
    else reader.skip(tag);
  }
  return { type: 'interrupt', sequence, message };
}

const NO_MESSAGE: ApicFields = { vector: 0, deliveryMode: 0, level: false, logical: false, destination: 0 };

function readApic(around: Reader): ApicFields {
  const reader = new Reader(around.delimited());
  const message = { ...NO_MESSAGE };
  while (!reader.done) {
    const tag = reader.uint32();
    if (tag === 0x08) message.vector = reader.uint32();
    else if (tag === 0x10) message.deliveryMode = reader.uint32();
    else if (tag === 0x18) message.level = reader.bool();
    else if (tag === 0x20) message.logical = reader.bool();
    else if (tag === 0x28) message.destination = reader.uint32();
    else reader.skip(tag);
  }
  around.failed ||= reader.failed;
  return message;
}

function readIrq(reader: Reader): Irq {
  const irq: { -readonly [Key in keyof Irq]: Irq[Key] } = {
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
  while (!reader.done) {
    const tag = reader.uint32();
    if (tag === 0x08) irq.sequence = reader.uint64();
    else if (tag === 0x10) irq.cause = CAUSES[reader.uint32() - 1];
    else if (tag === 0x18) irq.timer = reader.uint32();
    else if (tag === 0x20) irq.virtualTime = reader.uint64();
    else if (tag === 0x28) irq.wallTime = reader.uint64();
    else if (tag === 0x30) irq.deadline = reader.uint64();
    else if (tag === 0x38) irq.lateness = reader.uint64();
    else if (tag >= 0x42 && tag <= 0x5a && (tag & 7) === 2) irq.event = readDetail(tag, reader);
    else reader.skip(tag);
  }
  return irq;
}

function readDetail(kind: number, around: Reader): IrqDetail {
  const reader = new Reader(around.delimited());
  const numbers = [0, 0, 0, 0];
  let source = '';
  let message = NO_MESSAGE;
  while (!reader.done) {
    const tag = reader.uint32();
    if (tag === 0x12) message = readApic(reader);
    else if (tag === 0x1a) source = reader.string();
    else if (tag === 0x08 || tag === 0x10) numbers[tag >>> 3] = reader.uint32();
    else if (tag === 0x15 || tag === 0x1d) numbers[tag >>> 3] = reader.fixed32();
    else reader.skip(tag);
  }
  around.failed ||= reader.failed;
  const [, first, second, third] = numbers;
  if (kind === 0x42) return { kind: 'line', gsi: first, level: second, source };
  if (kind === 0x4a) return { kind: 'apic', pin: first, message };
  return kind === 0x52 ? { kind: 'msi', timer: first, address: second, data: third } : { kind: 'intr', level: first };
}
