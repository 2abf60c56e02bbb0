import type { Access, Acknowledged, ClientMessage, ClientRequest } from '../../src/protocol/client-message.js';
import { CAUSES, DESTINATION_FORMATS, INPUTS, IRQ_KINDS } from '../../src/protocol/names.js';
import type { ApicFields, Irq, ServerMessage } from '../../src/protocol/server-message.js';
import fc from '../support/properties.js';

/** Objects like those of literals. */
function record<T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const word = fc.nat(0xffffffff);
/** Often a number at which a varint grows. */
const id = fc.oneof(fc.constantFrom(0, 1, 127, 128, 16_383, 16_384, 2 ** 28 - 1, 2 ** 28, 2 ** 32 - 1), word);
const byte = fc.nat(0xff);
const bit = fc.nat(1);
const long = fc.oneof(fc.constantFrom(0, 127, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1), fc.maxSafeNat());
const text = fc.string({ unit: 'grapheme', maxLength: 20 });

export const access: fc.Arbitrary<Access> = record({
  write: fc.boolean(),
  posted: fc.boolean(),
  address: fc.oneof(word, fc.nat(2 ** 48 - 1)),
  size: fc.constantFrom(1, 2, 4, 8),
  low: fc.oneof(fc.constant(0), word),
  high: fc.oneof(fc.constant(0), word),
}).map((each) => (each.write ? each : { ...each, posted: false, low: 0, high: 0 }));

const type = <T extends string>(name: T) => fc.constant(name);

const request: fc.Arbitrary<ClientRequest> = fc.oneof(
  record({ type: type('access'), id, access }),
  record({ type: type('batch'), id, accesses: fc.array(access, { maxLength: 20 }) }),
  record({
    type: type('hello'),
    id,
    version: fc.integer({ min: 1, max: 0xffffffff }),
    capabilities: fc.array(text, { maxLength: 4 }),
  }),
  record({ type: type('in'), id, port: fc.nat(0xffff) }),
  record({ type: type('out'), id, port: fc.nat(0xffff), value: byte }),
  record({ type: fc.constantFrom('inta', 'sync'), id }),
  record({ type: type('line'), id, gsi: fc.nat(23), level: bit }),
  record({ type: type('eoi'), id, vector: byte }),
  record({ type: type('apic'), id, logicalId: byte, format: fc.constantFrom(...DESTINATION_FORMATS) }),
  record({ type: type('step'), id, ns: long }),
  record({ type: type('step'), id, ns: long, toDeadline: fc.constant(true as const) }),
  record({
    type: type('step'),
    id,
    ns: long,
    read: access.map((each) => ({ ...each, write: false, posted: false, low: 0, high: 0 })),
  }),
  record({ type: type('input'), id, input: fc.constantFrom(...INPUTS), level: bit }),
  record({ type: type('subscribe'), id, kinds: fc.subarray([...IRQ_KINDS]) }),
);

const acknowledged: fc.Arbitrary<Acknowledged> = record({ event: long, reply: long });

export const clientMessage: fc.Arbitrary<ClientMessage> = fc.oneof(
  { weight: 8, arbitrary: request },
  { weight: 4, arbitrary: fc.tuple(request, acknowledged).map(([message, ack]) => ({ ...message, ack })) },
  record({
    type: type('resume'),
    session: fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 64 }),
    epoch: text,
    event: long,
    reply: long,
  }),
  record({ type: type('ack'), event: long, reply: long }),
);

const apic: fc.Arbitrary<ApicFields> = record({
  vector: byte,
  deliveryMode: fc.nat(7),
  level: fc.boolean(),
  logical: fc.boolean(),
  destination: byte,
});

const value = record({ low: word, high: word, size: fc.constantFrom(1, 2, 4, 8) }).map((each) => ({
  ...each,
  low: each.size < 4 ? each.low % 2 ** (8 * each.size) : each.low,
  high: each.size === 8 ? each.high : 0,
}));

const results = fc.array(value, { maxLength: 20 }).map((values) => ({
  values: Uint32Array.from(values.flatMap(({ low, high }) => [low, high])),
  sizes: Uint8Array.from(values, ({ size }) => size),
  faults: [],
}));

const agreement = record({ version: fc.integer({ min: 1, max: 9 }), capabilities: fc.array(text) });

const irq: fc.Arbitrary<Irq> = record({
  type: type('irq'),
  sequence: long,
  cause: fc.constantFrom(...CAUSES),
  timer: fc.option(fc.nat(23), { nil: undefined }),
  virtualTime: long,
  wallTime: long,
  deadline: fc.option(long, { nil: undefined }),
  lateness: fc.option(long, { nil: undefined }),
  event: fc.oneof(
    record({ kind: type('line'), gsi: fc.nat(23), level: bit, source: text }),
    record({ kind: type('apic'), pin: fc.nat(23), message: apic }),
    record({ kind: type('msi'), timer: fc.nat(23), address: word, data: word }),
    record({ kind: type('intr'), level: bit }),
  ),
}).map((each) => {
  // Of another cause there is no timer; that of an MSI is its own.
  const timer = each.cause === 'timer' && each.event.kind === 'msi' ? each.event.timer : each.timer;
  return { ...each, timer: each.cause === 'timer' ? timer : undefined };
});

const lines = record({ hpet: word, external: word });
const greeting = { type: type('hello'), version: fc.integer({ min: 1, max: 9 }), machine: text, sequence: long };
const capabilities = fc.array(text, { maxLength: 4 });
const session = { vcpu: fc.nat(15), clock: text, resumeToken: text, epoch: text };
const restored = { type: type('restored'), sequence: long, epoch: text, age: long, event: long, lines };

export const serverMessage: fc.Arbitrary<ServerMessage> = fc.oneof(
  record({ type: type('reply'), id }),
  record({ type: type('reply'), id, value }),
  record({ type: type('reply'), id, vector: byte }),
  record({ type: type('reply'), id, results }),
  record({ type: type('reply'), id, agreement }),
  record({ type: type('reply'), id, time: long }),
  record({ type: type('reply'), id, value, time: long, deadline: long }),
  record({ type: type('interrupt'), sequence: long, message: apic }),
  record({ type: type('intr'), sequence: long, level: bit }),
  irq,
  record({ ...greeting, lines }),
  record({ ...greeting, vcpu: fc.nat(15), clock: text, resumeToken: text, intr: bit, capabilities, credit: word }),
  record({ ...greeting, vcpu: fc.nat(15), clock: text, resumeToken: text, capabilities, credit: word }),
  record({ type: type('gap'), from: long, to: long, lines }),
  record({ type: type('gap'), from: long, to: long, lines, intr: bit }),
  record({ type: type('credit'), requests: word }),
  record({ type: type('credit'), requests: word, request: long }),
  record({ ...greeting, ...session, capabilities, credit: word }),
  record({ ...greeting, ...session, capabilities, credit: word, session: text, request: long }),
  record({ ...greeting, ...session, capabilities, credit: word, fence: long, nodes: capabilities }),
  record({ ...greeting, vcpu: fc.nat(15), capabilities, fence: long, owner: text, nodes: capabilities }),
  record({ ...greeting, lines, fence: long, nodes: capabilities }),
  record({ ...restored, request: long, intr: bit }),
  record(restored),
  record({
    type: type('error'),
    id: fc.option(id, { nil: undefined }),
    code: text,
    message: text,
    details: fc.dictionary(
      fc.stringMatching(/^[a-z]{1,8}$/),
      fc.oneof(
        text,
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
      ),
      { noNullPrototype: true },
    ),
  }),
);
