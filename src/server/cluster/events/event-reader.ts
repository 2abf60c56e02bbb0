import type { EventJson } from '../../../protocol/json/event-json.js';
import type { LineLevels } from '../../../protocol/server-message.js';
import type { ClusterEvent, EventPosition } from '../../service/cluster-port.js';
import type { IrqEvent } from '../../service/irq-event.js';
import { linesBefore } from '../../service/lines.js';
import type { EventLog } from './event-log.js';
import { decodeRecord, type EventRecord } from './records.js';

/** Up to which event a reader has the stream. */
interface Place {
  readonly epoch: string;
  readonly sequence: number;
  readonly lines: LineLevels;
}

/**
 * The events of a machine, as the stream gets them: those after a position, or new ones. First the newest place, and a gap
 * wherever events are missing. Ends when the machine is deleted, or `signal` aborts.
 */
export async function* readEvents(
  log: EventLog,
  machine: string,
  after: EventPosition | undefined,
  signal: AbortSignal,
): AsyncGenerator<ClusterEvent> {
  const last = await log.last(machine);
  const newest = last && placeOf(decodeRecord(last.data));
  let place = newest;
  /** The position of a reader that was here before, until its epoch is found. */
  let sought: (EventPosition & { readonly epoch: string }) | undefined;
  if (newest) {
    yield { type: 'hello', ...newest };
    const position = after && { epoch: newest.epoch, ...definedOf(after) };
    if (position?.epoch === newest.epoch && position.sequence > newest.sequence) yield wholeGap(newest);
    else if (position && (position.epoch !== newest.epoch || position.sequence < newest.sequence)) sought = position;
  }
  const start = sought || !last ? 1 : last.position + 1;
  for await (const { position, data } of log.read(machine, start, signal)) {
    const record = decodeRecord(data);
    if (sought && last && newest) {
      if (record.epoch === sought.epoch) place = { ...sought, lines: beforeRecord(record).lines };
      else if (position < last.position) continue;
      else {
        yield wholeGap(newest);
        place = newest;
      }
      sought = undefined;
    }
    if (!place) {
      place = beforeRecord(record);
      yield { type: 'hello', ...place };
    }
    yield* between(place, record);
    if (record.type === 'end') return;
    if (record.epoch !== place.epoch || record.sequence > place.sequence) place = placeOf(record);
  }
}

function definedOf({ epoch, sequence }: EventPosition) {
  return { sequence, ...(epoch !== undefined && { epoch }) };
}

function placeOf({ epoch, sequence, lines }: EventRecord): Place {
  return { epoch, sequence, lines };
}

/** Where a record begins. */
function beforeRecord(record: EventRecord): Place {
  const place = placeOf(record);
  if (record.type === 'gap') return { ...place, sequence: record.from - 1 };
  if (record.type !== 'events') return place;
  const { events, lines } = record;
  return { ...place, sequence: Number(events[0].sequence) - 1, lines: linesBeforeAll(events, lines) };
}

function linesBeforeAll(events: readonly EventJson[], lines: LineLevels): LineLevels {
  // Fields of the text form have the names of the others.
  return linesBefore(
    events.map((event) => ({ wire: { event } as unknown as IrqEvent['wire'] })),
    lines,
  );
}

/** All events of an epoch are new to the reader. */
function wholeGap({ epoch, sequence, lines }: Place): ClusterEvent {
  return { type: 'gap', epoch, from: Math.min(1, sequence), to: sequence, lines };
}

/** What a reader at a place gets by a record. */
function* between(place: Place, record: EventRecord): Generator<ClusterEvent> {
  const { epoch, sequence, lines } = record;
  if (record.type === 'events') {
    let at = place.epoch === epoch ? place.sequence : 0;
    for (const [index, event] of record.events.entries()) {
      const number = Number(event.sequence);
      if (number <= at) continue;
      const before = at + 1;
      if (number > before)
        yield {
          type: 'gap',
          epoch,
          from: before,
          to: number - 1,
          lines: linesBeforeAll(record.events.slice(index), lines),
        };
      at = number;
      yield { type: 'irq', epoch, sequence: number, event };
    }
    return;
  }
  const isBehind = place.epoch === epoch && sequence <= place.sequence;
  if (isBehind) return;
  const from = sequence > place.sequence ? place.sequence + 1 : Math.min(1, sequence);
  yield { type: 'gap', epoch, from, to: sequence, lines };
}
