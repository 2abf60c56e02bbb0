import { compileStrict } from '../../protocol/json/validation.js';
import { type Static, type TSchema, Type } from '../../schema/type.js';
import type { Output } from './trace.js';

/** Names of bits 10:8 of a redirection entry, by their value. */
const DELIVERY_MODES = ['fixed', 'lowest-priority', 'smi', 'reserved-3', 'nmi', 'init', 'reserved-6', 'extint'];

const Hex = Type.String({ pattern: '^0x[0-9a-f]{1,8}$' });

const guard = <T extends TSchema>(schema: T) => compileStrict<Static<T>>(schema);

/** The fields that a replay compares; an event has others. */
const LineEvent = guard(
  Type.Object({
    kind: Type.Literal('line'),
    gsi: Type.Integer(),
    level: Type.Enum([0, 1]),
    source: Type.String(),
  }),
);
const ApicEvent = guard(
  Type.Object({
    kind: Type.Literal('apic'),
    destination: Type.Integer(),
    destinationMode: Type.Enum(['physical', 'logical']),
    deliveryMode: Type.Enum(DELIVERY_MODES),
    vector: Type.Integer(),
    triggerMode: Type.Enum(['edge', 'level']),
  }),
);
const IntrEvent = guard(Type.Object({ kind: Type.Literal('intr'), level: Type.Enum([0, 1]) }));
const MsiEvent = guard(Type.Object({ kind: Type.Literal('msi'), address: Hex, data: Hex }));

/**
 * An `irq` message as an output of the golden traces; undefined for a line that the replay itself drives. Throws if the
 * message is invalid.
 */
export function outputOfEvent(event: unknown): Output | undefined {
  if (LineEvent(event)) {
    return event.source === 'external' ? undefined : { out: 'irq', line: event.gsi, level: event.level };
  }
  if (ApicEvent(event)) {
    return {
      out: 'apic',
      dest: event.destination,
      dest_mode: event.destinationMode === 'logical' ? 1 : 0,
      delivery_mode: DELIVERY_MODES.indexOf(event.deliveryMode),
      vector: event.vector,
      trigger_mode: event.triggerMode === 'level' ? 1 : 0,
    };
  }
  if (MsiEvent(event)) return { out: 'msi', addr: Number(event.address), data: Number(event.data) };
  if (IntrEvent(event)) return { out: 'intr', level: event.level };
  throw new Error('not an event of this protocol');
}
