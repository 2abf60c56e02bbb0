// @ts-check
import { hex, time } from '../kit/format.js';

const MODES = ['fixed', 'lowest-priority', 'smi', 'reserved-3', 'nmi', 'init', 'reserved-6', 'extint'];

/**
 * An event of the IRQ stream as a row of texts.
 * @param {any} event
 */
export function describe(event) {
  if (event.type === 'gap') return { gap: true, from: event.from, to: event.to };
  const { sequence, cause, timer, virtualTime, lateness, event: detail } = event;
  return {
    sequence,
    at: (virtualTime / 1e9).toFixed(6),
    kind: detail.kind,
    what: whatOf(detail),
    cause: timer === undefined ? cause : `timer ${timer}`,
    late: lateness === undefined ? '' : time(lateness),
  };
}

/** @param {any} detail */
function whatOf(detail) {
  switch (detail.kind) {
    case 'line':
      return `GSI ${detail.gsi} ${detail.level ? 'up' : 'down'}, by ${detail.source}`;
    case 'apic': {
      const { vector, deliveryMode, level, logical, destination } = detail.message;
      const mode = `${MODES[deliveryMode]}, ${level ? 'level' : 'edge'}`;
      return `pin ${detail.pin}: vector ${hex(vector)} to ${logical ? 'logical ' : ''}${destination}, ${mode}`;
    }
    case 'msi':
      return `timer ${detail.timer}: ${hex(detail.address, 8)} ← ${hex(detail.data, 8)}`;
    default:
      return `INTR ${detail.level ? 'up' : 'down'}`;
  }
}
