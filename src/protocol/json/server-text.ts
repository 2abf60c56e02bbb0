import { DELIVERY_MODE_NAMES } from '../names.js';
import type { ApicFields, BatchResults, Irq, LineLevels, Reply, ServerMessage } from '../server-message.js';
import { formatAddress, formatValue } from '../values.js';

/** The text of a message. */
export function serverText(message: ServerMessage): string {
  switch (message.type) {
    case 'reply':
      return replyText(message);
    case 'interrupt': {
      const { type, sequence, message: fields } = message;
      return JSON.stringify({ type, sequence: String(sequence), ...apicFields(fields) });
    }
    case 'irq':
      return JSON.stringify(irqFields(message));
    case 'gap':
      return JSON.stringify({
        type: 'gap',
        from: String(message.from),
        to: String(message.to),
        lines: message.lines && linesFields(message.lines),
      });
    case 'hello': {
      const { lines, ...rest } = message;
      const levels = lines && linesFields(lines);
      return JSON.stringify({ ...rest, sequence: String(message.sequence), lines: levels });
    }
    case 'intr':
      return JSON.stringify({ ...message, sequence: String(message.sequence) });
    default:
      return JSON.stringify(message);
  }
}

function linesFields({ hpet, external }: LineLevels) {
  return { hpet: formatAddress(hpet), external: formatAddress(external) };
}

/** By hand what is frequent: there is nothing in it to escape. */
function replyText({ id, value, vector, results, agreement }: Reply): string {
  if (value) return `{"type":"reply","id":${id},"value":"${formatValue(value.low, value.high, value.size)}"}`;
  if (vector !== undefined) return `{"type":"reply","id":${id},"vector":${vector}}`;
  if (results) return `{"type":"reply","id":${id},"results":[${resultTexts(results).join()}]}`;
  if (agreement) return JSON.stringify({ type: 'reply', id, ...agreement });
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

function apicFields(message: ApicFields) {
  return {
    vector: message.vector,
    deliveryMode: DELIVERY_MODE_NAMES[message.deliveryMode],
    triggerMode: message.level ? 'level' : 'edge',
    destinationMode: message.logical ? 'logical' : 'physical',
    destination: message.destination,
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

function detailFields(event: Irq['event']) {
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
