import type { EventJson } from '../../../protocol/json/event-json.js';
import { serverText } from '../../../protocol/json/server-text.js';
import type { Irq, LineLevels } from '../../../protocol/server-message.js';

/** What each record of a machine in the stream says: docs/scale.md. */
interface RecordBase {
  readonly machine: string;
  /** The node that wrote it. */
  readonly node: string;
  /** Revision of the claim that it was written under: no record with an older one follows. */
  readonly fence: number;
  /** The line of machine state that `sequence` counts in. */
  readonly epoch: string;
  /** Number of the last event up to and with this record. */
  readonly sequence: number;
  /** Levels of the lines right after that event. */
  readonly lines: LineLevels;
}

/** The first record of an owner, and of an epoch. Events up to `sequence` that no record has are lost. */
export interface EpochRecord extends RecordBase {
  readonly type: 'epoch';
}

/** Events in order, each as the text form of the protocol has it. */
export interface EventsRecord<Event> extends RecordBase {
  readonly type: 'events';
  readonly events: readonly Event[];
}

/** Events `from` to `sequence` found no room while the stream was slow. */
export interface GapRecord extends RecordBase {
  readonly type: 'gap';
  readonly from: number;
  readonly missed: number;
}

/** The machine was deleted. */
export interface EndRecord extends RecordBase {
  readonly type: 'end';
}

export type EventRecord<Event = EventJson> = EpochRecord | EventsRecord<Event> | GapRecord | EndRecord;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Numbers of events are decimal strings, as in the protocol. */
export function encodeRecord(record: EventRecord<Irq>): Uint8Array {
  const { type, machine, node, fence, epoch, sequence, lines } = record;
  const fields = { type, machine, node, fence, epoch, sequence: String(sequence), lines };
  if (record.type === 'gap')
    return encoder.encode(JSON.stringify({ ...fields, from: String(record.from), missed: String(record.missed) }));
  const text = JSON.stringify(fields);
  if (record.type !== 'events') return encoder.encode(text);
  // Events are encoded once, as for all who read them.
  return encoder.encode(`${text.slice(0, -1)},"events":[${record.events.map(serverText).join()}]}`);
}

export function decodeRecord(data: Uint8Array): EventRecord {
  const record = JSON.parse(decoder.decode(data));
  record.sequence = Number(record.sequence);
  if (record.type === 'gap') {
    record.from = Number(record.from);
    record.missed = Number(record.missed);
  }
  return record;
}
