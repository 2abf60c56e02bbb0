import type { Irq, LineLevels } from '../../protocol/server-message.js';
import type { IrqEvent } from './irq-event.js';

export const NO_LINES: LineLevels = { hpet: 0, external: 0 };

/** The lines after an event, of which they were `lines` before. */
export function linesAfter(lines: LineLevels, { event }: Irq): LineLevels {
  return event.kind === 'line' ? withLevel(lines, event.gsi, event.source, event.level) : lines;
}

/** The lines before the first of these events, of which they are `lines` after the last: each of them was a change. */
export function linesBefore(events: readonly Pick<IrqEvent, 'wire'>[], lines: LineLevels): LineLevels {
  return events.reduceRight(
    (after, { wire: { event } }) =>
      event.kind === 'line' ? withLevel(after, event.gsi, event.source, 1 - event.level) : after,
    lines,
  );
}

function withLevel(lines: LineLevels, line: number, source: string, level: number): LineLevels {
  // What comes in behind the router changes no line.
  if (source === 'xen') return lines;
  const driver = source === 'external' ? 'external' : 'hpet';
  const bit = 1 << line;
  return { ...lines, [driver]: (level ? lines[driver] | bit : lines[driver] & ~bit) >>> 0 };
}
