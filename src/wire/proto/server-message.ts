import type { ErrorBody } from '../../errors.js';
import type * as irq from '../gen/southbridge/v1/irq_pb.js';
import type * as pb from '../gen/southbridge/v1/server_pb.js';
import { CAUSES } from '../names.js';
import type {
  ApicFields,
  BatchResults,
  ErrorMessage,
  Irq,
  IrqDetail,
  Reply,
  ServerMessage,
} from '../server-message.js';

/** What a server sent, out of the library's form. Throws if this version does not know it. */
export function serverMessage({ message }: pb.ServerMessage): ServerMessage {
  switch (message.case) {
    case 'hello':
      return hello(message.value);
    case 'reply':
      return reply(message.value);
    case 'error':
      return errorMessage(message.value);
    case 'interrupt':
      return { type: 'interrupt', sequence: Number(message.value.sequence), message: apic(message.value.message) };
    case 'intr':
      return { type: 'intr', sequence: Number(message.value.sequence), level: Number(message.value.level) };
    case 'irq':
      return irqMessage(message.value);
    case 'gap':
      return { type: 'gap', from: Number(message.value.from), to: Number(message.value.to) };
    case 'credit':
      return { type: 'credit', requests: message.value.requests };
    default:
      throw new TypeError('the server sent a message of a type that is not known');
  }
}

function hello({ version, machine, vcpu, clock, resumeToken, sequence, intr, capabilities, credit }: pb.ServerHello) {
  return {
    type: 'hello' as const,
    version,
    machine,
    ...(vcpu !== undefined && { vcpu }),
    ...(clock !== undefined && { clock }),
    ...(resumeToken !== undefined && { resumeToken }),
    sequence: Number(sequence),
    ...(intr !== undefined && { intr: Number(intr) }),
    ...(vcpu !== undefined && { capabilities }),
    ...(credit !== undefined && { credit }),
  };
}

function reply({ id, size, valueLow, valueHigh, vector, results, faults, agreement }: pb.Reply): Reply {
  return {
    type: 'reply',
    id,
    ...(size !== 0 && { value: { low: valueLow, high: valueHigh, size } }),
    ...(vector !== undefined && { vector }),
    ...(results && { results: batchResults(results, faults) }),
    ...(agreement && { agreement: { version: agreement.version, capabilities: agreement.capabilities } }),
  };
}

function batchResults(bytes: Uint8Array, faults: readonly pb.BatchFault[]): BatchResults {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    values: Uint32Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(4 * index, true)),
    sizes: undefined,
    faults: faults.map(({ index, error }) => {
      const { code, message, details } = errorMessage(error as pb.Error);
      return { index, error: { code, message, ...details } as ErrorBody['error'] };
    }),
  };
}

function errorMessage({ id, code, message, details }: pb.Error): ErrorMessage {
  const entries = details.map(({ name, value }) => [name, value.value]);
  return { type: 'error', id, code, message, details: Object.fromEntries(entries) };
}

function apic(message: irq.ApicMessage | undefined): ApicFields {
  const { vector = 0, deliveryMode = 0, levelTriggered = false, logical = false, destination = 0 } = message ?? {};
  return { vector, deliveryMode, level: levelTriggered, logical, destination };
}

function irqMessage(event: irq.IrqEvent): Irq {
  const { sequence, cause, timer, virtualTime, wallTime, deadline, lateness } = event;
  return {
    type: 'irq',
    sequence: Number(sequence),
    cause: CAUSES[cause - 1],
    timer,
    virtualTime: Number(virtualTime),
    wallTime: Number(wallTime),
    deadline: deadline === undefined ? undefined : Number(deadline),
    lateness: lateness === undefined ? undefined : Number(lateness),
    event: detail(event.event),
  };
}

function detail(event: irq.IrqEvent['event']): IrqDetail {
  switch (event.case) {
    case 'line':
      return { kind: 'line', gsi: event.value.gsi, level: Number(event.value.level), source: event.value.source };
    case 'apic':
      return { kind: 'apic', pin: event.value.pin, message: apic(event.value.message) };
    case 'msi':
      return { kind: 'msi', timer: event.value.timer, address: event.value.address, data: event.value.data };
    case 'intr':
      return { kind: 'intr', level: Number(event.value.level) };
    default:
      throw new TypeError('the server sent an event of a kind that is not known');
  }
}
