import t from 'tap';
import {
  EVENT_APIC,
  EVENT_INTR,
  EVENT_LINE,
  EVENT_MSI,
  eventName,
  packApic,
  packIntr,
  packLine,
  packMsi,
  summarize,
  unpackEvent,
  unpackSummary,
} from '../../../src/core/machine/events.js';
import { emptyEvent } from '../../../src/core/memory/event-words.js';
import fc from '../../support/properties.js';

const bits = (count: number) => fc.nat({ max: 2 ** count - 1 });

t.test('an event comes out of its words as it went in, whatever the words held before', async (t) => {
  const line = fc.record({ kind: fc.constant('line' as const), gsi: bits(5), level: bits(1), decision: bits(31) });
  const apic = fc.record({
    kind: fc.constant('apic' as const),
    pin: fc.nat({ max: 23 }),
    destination: bits(8),
    destinationMode: bits(1),
    deliveryMode: bits(3),
    vector: bits(8),
    trigger: bits(1),
  });
  const msi = fc.record({
    kind: fc.constant('msi' as const),
    timer: fc.nat({ max: 23 }),
    address: bits(32),
    data: bits(32),
  });
  const intr = fc.record({ kind: fc.constant('intr' as const), level: bits(1) });
  const words = emptyEvent();
  fc.assert(
    fc.property(fc.oneof(line, apic, msi, intr), (event) => {
      if (event.kind === 'line') packLine(words, event.gsi, event.level, event.decision);
      else if (event.kind === 'apic') packApic(words, event);
      else if (event.kind === 'msi') packMsi(words, event.timer, event.address, event.data);
      else packIntr(words, event.level);
      t.equal(eventName(words.kind), event.kind);
      // Through 32-bit words, as the event ring stores them.
      t.strictSame(unpackEvent({ ...words, a: words.a | 0, b: words.b | 0, c: words.c | 0 }), { ...event });
    }),
  );
});

t.test('a summary has kind, cause, place and the low 8 bits of level, vector or data', async (t) => {
  const summaryOf = (kind: number, a: number, b: number, c: number) =>
    unpackSummary(summarize({ ...emptyEvent(), kind, cause: 26, a, b, c }));
  t.strictSame(summaryOf(EVENT_LINE, 9, 1, 77), { kind: EVENT_LINE, cause: 26, place: 9, detail: 1 });
  t.strictSame(summaryOf(EVENT_APIC, 23, 0x1fff, 0xfe), { kind: EVENT_APIC, cause: 26, place: 23, detail: 0xfe });
  t.strictSame(summaryOf(EVENT_MSI, 3, -1, 0x1234_56e1 | 0), { kind: EVENT_MSI, cause: 26, place: 3, detail: 0xe1 });
  t.match(summaryOf(EVENT_INTR, 1, 0, 0), { kind: EVENT_INTR, detail: 1 });
});

t.test('a kind that is not one of the four is refused', async (t) => {
  t.throws(() => unpackEvent(emptyEvent()), /unknown kind of event 0/);
});
