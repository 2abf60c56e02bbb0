import { DELIVERY_MODE_NAMES } from '../names.js';
import type {
  ApicFields,
  BatchResults,
  Irq,
  IrqDetail,
  LineLevels,
  Reply,
  ServerMessage,
  Value,
} from '../server-message.js';
import { highOf, lowOf } from '../values.js';

/** What a server sent, which needs no check. */
// biome-ignore lint/suspicious/noExplicitAny: docs/protocol.md gives the fields of each type
type Fields = any;

/** The message that the fields of a text frame stand for. */
export function serverMessage(fields: Fields): ServerMessage {
  switch (fields.type) {
    case 'reply':
      return reply(fields);
    case 'error':
      return { ...fields, id: fields.id };
    case 'interrupt':
      return { type: 'interrupt', sequence: Number(fields.sequence), message: apic(fields) };
    case 'irq':
      return irq(fields);
    case 'gap':
      return {
        type: 'gap',
        from: Number(fields.from),
        to: Number(fields.to),
        ...(fields.lines && { lines: lines(fields.lines) }),
      };
    case 'hello': {
      const { lines: levels, ...rest } = fields;
      return { ...rest, sequence: Number(fields.sequence), ...(levels && { lines: lines(levels) }) };
    }
    case 'intr':
      return { ...fields, sequence: Number(fields.sequence) };
    default:
      return fields;
  }
}

function lines({ hpet, external }: Fields): LineLevels {
  return { hpet: Number(hpet), external: Number(external) };
}

function reply({ id, value, vector, results, version, capabilities }: Fields): Reply {
  return {
    type: 'reply',
    id,
    ...(value !== undefined && { value: valueFrom(value) }),
    ...(vector !== undefined && { vector }),
    ...(results !== undefined && { results: resultsOf(results) }),
    ...(version !== undefined && { agreement: { version, capabilities } }),
  };
}

function valueFrom(text: string): Value {
  return { low: lowOf(text), high: highOf(text), size: text.length / 2 - 1 };
}

function resultsOf(results: readonly Fields[]): BatchResults {
  const values = new Uint32Array(2 * results.length);
  const sizes = new Uint8Array(results.length);
  const faults: BatchResults['faults'][number][] = [];
  results.forEach(({ value, error }, index) => {
    if (error) faults.push({ index, error });
    if (value === undefined) return;
    const { low, high, size } = valueFrom(value);
    values.set([low, high], 2 * index);
    sizes[index] = size;
  });
  return { values, sizes, faults };
}

function apic({ vector, deliveryMode, triggerMode, destinationMode, destination }: Fields): ApicFields {
  return {
    vector,
    deliveryMode: DELIVERY_MODE_NAMES.indexOf(deliveryMode),
    level: triggerMode === 'level',
    logical: destinationMode === 'logical',
    destination,
  };
}

function irq(fields: Fields): Irq {
  const { type, sequence, cause, timer, virtualTime, wallTime, deadline, lateness } = fields;
  return {
    type,
    sequence: Number(sequence),
    cause,
    timer: cause === 'timer' ? timer : undefined,
    virtualTime: Number(virtualTime),
    wallTime: Number(wallTime),
    deadline: deadline === undefined ? undefined : Number(deadline),
    lateness: lateness === undefined ? undefined : Number(lateness),
    event: detail(fields),
  };
}

function detail(fields: Fields): IrqDetail {
  const { kind } = fields;
  switch (kind) {
    case 'line':
      return { kind, gsi: fields.gsi, level: fields.level, source: fields.source };
    case 'apic':
      return { kind, pin: fields.pin, message: apic(fields) };
    case 'msi':
      return { kind, timer: fields.timer, address: Number(fields.address), data: Number(fields.data) };
    default:
      return { kind, level: fields.level };
  }
}
