import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { IrqEventSchema } from '../gen/southbridge/v1/irq_pb.js';
import {
  type DetailSchema,
  type ErrorSchema,
  type ReplySchema,
  ServerMessageSchema,
  type ServerMessage as ServerProto,
} from '../gen/southbridge/v1/server_pb.js';
import { CAUSES } from '../names.js';
import type { ApicFields, BatchResults, Irq, Reply, ServerMessage } from '../server-message.js';

/** Any message as the library knows it. */
export function serverProto(message: ServerMessage): ServerProto {
  return create(ServerMessageSchema, { message: oneof(message) });
}

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** 8 bytes for each access, which may share memory with `values`. */
export function resultBytes({ values }: BatchResults): Uint8Array {
  if (LITTLE_ENDIAN) return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const view = new DataView(new ArrayBuffer(values.byteLength));
  for (let index = 0; index < values.length; index++) view.setUint32(4 * index, values[index], true);
  return new Uint8Array(view.buffer);
}

type OneOf = InitOf<typeof ServerMessageSchema>['message'];

function oneof(message: ServerMessage): OneOf {
  switch (message.type) {
    case 'hello': {
      const { type: _, sequence, intr, capabilities, ...rest } = message;
      return {
        case: 'hello',
        value: {
          ...rest,
          sequence: BigInt(sequence),
          capabilities: [...(capabilities ?? [])],
          intr: intr === undefined ? undefined : intr === 1,
        },
      };
    }
    case 'reply':
      return { case: 'reply', value: replyProto(message) };
    case 'error':
      return { case: 'error', value: errorProto(message) };
    case 'interrupt':
      return {
        case: 'interrupt',
        value: { sequence: BigInt(message.sequence), message: apicProto(message.message) },
      };
    case 'intr':
      return { case: 'intr', value: { sequence: BigInt(message.sequence), level: message.level === 1 } };
    case 'irq':
      return { case: 'irq', value: irqProto(message) };
    case 'gap':
      return {
        case: 'gap',
        value: { from: BigInt(message.from), to: BigInt(message.to), lines: message.lines },
      };
    case 'credit':
      return { case: 'credit', value: { requests: message.requests } };
  }
}

function replyProto({ id, value, vector, results, agreement }: Reply): MessageInitShape<typeof ReplySchema> {
  return {
    id,
    ...(value && { size: value.size, valueLow: value.low, valueHigh: value.high }),
    vector,
    results: results && resultBytes(results),
    faults: results?.faults.map(({ index, error: { code, message, ...details } }) => ({
      index,
      error: errorProto({ id: undefined, code, message, details }),
    })),
    agreement: agreement && { version: agreement.version, capabilities: [...agreement.capabilities] },
  };
}

interface ErrorFields {
  readonly id: number | undefined;
  readonly code: string;
  readonly message: string;
  readonly details: { readonly [name: string]: unknown };
}

function errorProto({ id, code, message, details }: ErrorFields): MessageInitShape<typeof ErrorSchema> {
  return {
    id,
    code,
    message,
    details: Object.entries(details).map(([name, value]) => ({ name, value: detail(value) })),
  };
}

type InitOf<Schema extends Parameters<typeof create>[0]> = Extract<MessageInitShape<Schema>, { $typeName?: never }>;

function detail(value: unknown): InitOf<typeof DetailSchema>['value'] {
  if (typeof value === 'number') return { case: 'number', value };
  return { case: 'text', value: typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)) };
}

function apicProto({ vector, deliveryMode, level, logical, destination }: ApicFields) {
  return { vector, deliveryMode, levelTriggered: level, logical, destination };
}

function irqProto({
  sequence,
  cause,
  timer,
  virtualTime,
  wallTime,
  deadline,
  lateness,
  event,
}: Irq): MessageInitShape<typeof IrqEventSchema> {
  return {
    sequence: BigInt(sequence),
    cause: CAUSES.indexOf(cause) + 1,
    timer,
    virtualTime: BigInt(virtualTime),
    wallTime: BigInt(wallTime),
    deadline: deadline === undefined ? undefined : BigInt(deadline),
    lateness: lateness === undefined ? undefined : BigInt(lateness),
    event: eventProto(event),
  };
}

function eventProto(event: Irq['event']): InitOf<typeof IrqEventSchema>['event'] {
  switch (event.kind) {
    case 'line':
      return { case: 'line', value: { gsi: event.gsi, level: event.level === 1, source: event.source } };
    case 'apic':
      return { case: 'apic', value: { pin: event.pin, message: apicProto(event.message) } };
    case 'msi':
      return { case: 'msi', value: { timer: event.timer, address: event.address, data: event.data } };
    case 'intr':
      return { case: 'intr', value: { level: event.level === 1 } };
  }
}
