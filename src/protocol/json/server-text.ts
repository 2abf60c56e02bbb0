import { ANSWERS } from '../answers.js';
import { DELIVERY_MODE_NAMES } from '../names.js';
import type { ApicFields, BatchResults, Irq, IrqDetail, Reply, ServerMessage } from '../server-message.js';
import { formatAddress, formatValue } from '../values.js';

/** The text of a message: that of frequent messages by hand, as in `hot-answers.ts`, that of all others by the description. */
export function serverText(message: ServerMessage): string {
  return frequentText(message) ?? describedText(message);
}

/** The same text, by the description alone; its keys may come in another order. */
export function describedText(message: ServerMessage): string {
  const { type } = message;
  return JSON.stringify(ANSWERS[type].toJson({ ...message }, { type }));
}

function frequentText(message: ServerMessage): string | undefined {
  switch (message.type) {
    case 'reply':
      return message.agreement || message.time !== undefined ? undefined : replyText(message);
    case 'interrupt': {
      const { type, sequence, message: fields } = message;
      return JSON.stringify({ type, sequence: String(sequence), ...apicFields(fields) });
    }
    case 'intr':
      return `{"type":"intr","sequence":"${message.sequence}","level":${message.level}}`;
    case 'irq':
      return JSON.stringify(irqFields(message));
    case 'credit':
      return message.request === undefined ? `{"type":"credit","requests":${message.requests}}` : undefined;
    default:
      return undefined;
  }
}

/** There is nothing in it to escape. */
function replyText({ id, value, vector, results }: Reply): string {
  if (value) return `{"type":"reply","id":${id},"value":"${formatValue(value.low, value.high, value.size)}"}`;
  if (vector !== undefined) return `{"type":"reply","id":${id},"vector":${vector}}`;
  if (results) return `{"type":"reply","id":${id},"results":[${resultTexts(results).join()}]}`;
  return `{"type":"reply","id":${id}}`;
}

function resultTexts({ values, sizes, faults }: BatchResults): string[] {
  const texts: string[] = [];
  for (let index = 0; index < values.length / 2; index++) {
    const size = sizes?.[index] ?? 0;
    texts.push(size === 0 ? '{}' : `{"value":"${formatValue(values[2 * index], values[2 * index + 1], size)}"}`);
  }
  for (const { index, error } of faults) texts[index] = JSON.stringify({ error });
  return texts;
}

function apicFields({ vector, deliveryMode, level, logical, destination }: ApicFields) {
  return {
    vector,
    deliveryMode: DELIVERY_MODE_NAMES[deliveryMode],
    triggerMode: level ? 'level' : 'edge',
    destinationMode: logical ? 'logical' : 'physical',
    destination,
  };
}

function irqFields({ sequence, cause, timer, virtualTime, wallTime, deadline, lateness, event }: Irq) {
  return {
    type: 'irq',
    kind: event.kind,
    sequence: String(sequence),
    cause,
    timer,
    virtualTime: String(virtualTime),
    wallTime: String(wallTime),
    deadline: deadline === undefined ? undefined : String(deadline),
    lateness: lateness === undefined ? undefined : String(lateness),
    ...detailFields(event),
  };
}

function detailFields(event: IrqDetail) {
  switch (event.kind) {
    case 'line':
      return { gsi: event.gsi, level: event.level, source: event.source };
    case 'apic':
      return { pin: event.pin, ...apicFields(event.message) };
    case 'msi':
      return { timer: event.timer, address: formatAddress(event.address), data: formatAddress(event.data) };
    case 'intr':
      return { level: event.level };
  }
}
