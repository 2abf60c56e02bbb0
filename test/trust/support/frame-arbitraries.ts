import type { ClientCodec, Frame } from '../../../src/protocol/codec.js';
import { jsonClientCodec } from '../../../src/protocol/json/client-codec.js';
import { protoClientCodec } from '../../../src/protocol/protobuf/client-codec.js';
import { access, clientMessage } from '../../protocol/arbitraries.js';
import fc from '../../support/properties.js';
import { mutated } from './json-mutations.js';

/** Requests of which a machine takes many: most addresses are those of a register. */
const nearAccess = fc
  .record({ access, base: fc.constantFrom(0xfed00000, 0xfec00000), offset: fc.nat(0x410) })
  .map(({ access, base, offset }) => ({ ...access, address: base + offset }));

const message = fc.oneof(
  { weight: 2, arbitrary: clientMessage },
  {
    weight: 3,
    arbitrary: fc
      .record({ id: fc.nat(1000), access: nearAccess })
      .map((each) => ({ type: 'access' as const, ...each })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ id: fc.nat(1000), accesses: fc.array(nearAccess, { maxLength: 8 }) })
      .map((each) => ({ type: 'batch' as const, ...each })),
  },
);

/** A step of so many nanoseconds is work for days: the reply comes when all that came due has run. */
const LONGEST_STEP = 1e6;

const sane = message.map((each) => (each.type === 'step' ? { ...each, ns: each.ns % LONGEST_STEP } : each));

const encoded = (codec: ClientCodec) => sane.map((each) => codec.encode(each));

/** Some bytes of a frame exchanged, left out, doubled or put in. */
const damaged = fc
  .record({
    frame: encoded(protoClientCodec),
    edits: fc.array(
      fc.record({ at: fc.nat(), kind: fc.constantFrom('set', 'cut', 'double', 'insert', 'end'), byte: fc.nat(255) }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ frame, edits }) => edits.reduce(edit, frame as Uint8Array));

interface Edit {
  readonly at: number;
  readonly kind: string;
  readonly byte: number;
}

function edit(frame: Uint8Array, { at, kind, byte }: Edit): Uint8Array {
  const place = frame.length === 0 ? 0 : at % frame.length;
  const [before, after] = [frame.subarray(0, place), frame.subarray(place)];
  switch (kind) {
    case 'set':
      return Buffer.concat([before, Uint8Array.of(byte), after.subarray(1)]);
    case 'cut':
      return Buffer.concat([before, after.subarray(1 + (byte % 4))]);
    case 'double':
      return Buffer.concat([before, after.subarray(0, byte), after]);
    case 'insert':
      return Buffer.concat([before, Uint8Array.of(byte), after]);
    default:
      return before;
  }
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

/** Well-formed protobuf that means nothing: fields of any number and wire type, also inside one another. */
const { field } = fc.letrec<{ field: number[]; body: number[] }>((tie) => ({
  body: fc.array(tie('field'), { maxLength: 5 }).map((fields) => fields.flat()),
  field: fc
    .record({
      number: fc.oneof(fc.nat(16), fc.nat(300)),
      content: fc.oneof(
        { depthSize: 'small' },
        fc.maxSafeNat().map((value) => ({ wire: 0, bytes: varint(value) })),
        fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => ({ wire: 1, bytes: [...bytes] })),
        fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => ({ wire: 5, bytes: [...bytes] })),
        fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ wire: 2, bytes: [bytes.length, ...bytes] })),
        tie('body').map((bytes) => ({ wire: 2, bytes: [...varint(bytes.length), ...bytes] })),
        fc.constantFrom(3, 4, 6, 7).map((wire) => ({ wire, bytes: [] })),
      ),
    })
    .map(({ number, content: { wire, bytes } }) => [...varint(number * 8 + wire), ...bytes]),
}));

export const protoFrame: fc.Arbitrary<Frame> = fc.oneof(
  { weight: 4, arbitrary: damaged },
  { weight: 3, arbitrary: field.map((bytes) => Uint8Array.from(bytes)) },
  { weight: 2, arbitrary: encoded(protoClientCodec) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
);

/** Text with some of its characters exchanged, which is seldom JSON still. */
const damagedText = fc
  .record({ frame: encoded(jsonClientCodec), at: fc.nat(), text: fc.string({ maxLength: 3 }), cut: fc.nat(3) })
  .map(({ frame, at, text, cut }) => {
    const place = at % frame.length;
    return `${frame.slice(0, place)}${text}${frame.slice(place + cut)}`;
  });

export const jsonFrame: fc.Arbitrary<Frame> = fc.oneof(
  { weight: 4, arbitrary: mutated(encoded(jsonClientCodec).map((frame) => JSON.parse(String(frame)))) },
  { weight: 3, arbitrary: damagedText },
  { weight: 2, arbitrary: encoded(jsonClientCodec) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 64 }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
);
