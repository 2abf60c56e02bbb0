import { deepStrictEqual } from 'node:assert/strict';
import { type DescMessage, fromBinary, ScalarType, toBinary } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import t from 'tap';
import { SouthbridgeError } from '../../src/errors.js';
import type { ClientMessage } from '../../src/protocol/client-message.js';
import { RefusedFrame } from '../../src/protocol/codec.js';
import { jsonClientCodec } from '../../src/protocol/json/client-codec.js';
import { jsonCodec, sessionJsonCodec } from '../../src/protocol/json/codec.js';
import { describedText } from '../../src/protocol/json/server-text.js';
import { describedAnswer } from '../../src/protocol/protobuf/answers.js';
import { protoClientCodec } from '../../src/protocol/protobuf/client-codec.js';
import { protoCodec, sessionProtoCodec } from '../../src/protocol/protobuf/codec.js';
import { describedRequest } from '../../src/protocol/protobuf/requests.js';
import type { ServerMessage } from '../../src/protocol/server-message.js';
import fc from '../support/properties.js';
import { seed } from '../support/random.js';
import { clientMessage, serverMessage } from './arbitraries.js';
import { ClientMessageSchema } from './gen/southbridge/v1/client_pb.js';
import { ServerMessageSchema } from './gen/southbridge/v1/server_pb.js';

const RUNS = { numRuns: 1500, seed: seed() };

const bytesOf = (frame: string | Uint8Array) => Buffer.from(frame as Uint8Array);

function decode(frame: Uint8Array): ClientMessage | RefusedFrame {
  try {
    return sessionProtoCodec.decode(frame, true);
  } catch (error) {
    if (error instanceof RefusedFrame) return error;
    throw error;
  }
}

function withoutSizes(message: ServerMessage): ServerMessage {
  if (message.type !== 'reply' || !message.results) return message;
  return { ...message, results: { ...message.results, sizes: undefined } };
}

t.test(`requests by hand, by their description and by a library are the same; seed ${RUNS.seed}`, async (t) => {
  fc.assert(
    fc.property(clientMessage, (message) => {
      const frame = Uint8Array.from(protoClientCodec.encode(message) as Uint8Array);
      deepStrictEqual(frame, describedRequest(message));
      deepStrictEqual(frame, toBinary(ClientMessageSchema, fromBinary(ClientMessageSchema, frame)));
      deepStrictEqual(sessionProtoCodec.decode(frame, true), message);
      deepStrictEqual(sessionJsonCodec.decode(Buffer.from(String(jsonClientCodec.encode(message))), false), message);
    }),
    RUNS,
  );
  t.pass('every one');
});

t.test(`answers by hand, by their description and by a library are the same; seed ${RUNS.seed}`, async (t) => {
  fc.assert(
    fc.property(serverMessage, (message) => {
      const frame = Uint8Array.from(protoCodec.encode(message) as Uint8Array);
      deepStrictEqual(frame, describedAnswer(message));
      deepStrictEqual(frame, toBinary(ServerMessageSchema, fromBinary(ServerMessageSchema, frame)));
      deepStrictEqual(protoClientCodec.decode(frame), withoutSizes(message));
      deepStrictEqual(JSON.parse(String(jsonCodec.encode(message))), JSON.parse(describedText(message)));
      deepStrictEqual(jsonClientCodec.decode(jsonCodec.encode(message)), message);
    }),
    RUNS,
  );
  t.pass('every one');
});

/** One field of a body: any number, any wire type. */
const field = fc.record({
  number: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 8 }) }, fc.integer({ min: 1, max: 300 })),
  form: fc.constantFrom('varint', 'overlong', 'long', 'fixed32', 'fixed64', 'bytes'),
  value: fc.oneof(fc.constantFrom(1, 2, 4, 8), fc.nat(0xffffffff)),
  records: fc.nat(3),
});

/** The form that a field of a Write has, most of the time. */
const tame = field.map((each) => ({
  ...each,
  number: 1 + (each.number % 7),
  form: [3, 4, 5, 6].includes(1 + (each.number % 7)) ? 'fixed32' : each.form === 'overlong' ? 'overlong' : 'varint',
}));

function writeField(
  writer: BinaryWriter,
  { number, form, value, records }: typeof field extends fc.Arbitrary<infer T> ? T : never,
) {
  if (form === 'fixed32') writer.tag(number, WireType.Bit32).fixed32(value);
  else if (form === 'fixed64') writer.tag(number, WireType.Bit64).fixed64(BigInt(value) << 20n);
  else if (form === 'bytes') writer.tag(number, WireType.LengthDelimited).bytes(new Uint8Array(16 * records));
  else if (form === 'long') writer.tag(number, WireType.Varint).uint64(BigInt(value) << 24n);
  else if (form === 'varint') writer.tag(number, WireType.Varint).uint32(value);
  else writer.tag(number, WireType.Varint).raw(Uint8Array.of((value & 0x7f) | 0x80, 0x80, 0));
}

/** Whatever the order, repetition and form of fields, this decoder and the library's see the same message. */
function agrees(frame: Uint8Array): boolean {
  const own = decode(frame);
  if (own instanceof RefusedFrame && !(own.error instanceof SouthbridgeError)) throw own.error;
  let canonical: Uint8Array;
  try {
    canonical = toBinary(ClientMessageSchema, fromBinary(ClientMessageSchema, frame));
  } catch {
    return own instanceof RefusedFrame;
  }
  const again = decode(canonical);
  if (!(own instanceof RefusedFrame)) return JSON.stringify(own) === JSON.stringify(again);
  // The library takes several fields in a frame, and merges them; here that is refused. It also reads a field of another
  // wire type as if it had that of the contract, where the specification has it unknown.
  return again instanceof RefusedFrame || !isOneField(frame) || hasForeignField(frame);
}

/** Whether a field of the request has another wire type than the contract gives it. */
function hasForeignField(frame: Uint8Array): boolean {
  const outer = new BinaryReader(frame);
  const [number] = outer.tag();
  const schema = ClientMessageSchema.fields.find((field) => field.number === number)?.message as DescMessage;
  const inner = new BinaryReader(outer.bytes());
  while (inner.pos < inner.len) {
    const [tag, wireType] = inner.tag();
    const field = schema.fields.find((each) => each.number === tag);
    const isText = field?.scalar === ScalarType.STRING || field?.scalar === ScalarType.BYTES;
    const own = field?.scalar === ScalarType.FIXED32 ? WireType.Bit32 : isText ? WireType.LengthDelimited : 0;
    const isPacked = field?.fieldKind === 'list' && wireType === WireType.LengthDelimited;
    if (field && wireType !== own && !isPacked) return true;
    inner.skip(wireType, tag);
  }
  return false;
}

/** Whether the frame is one field with a length. */
function isOneField(frame: Uint8Array): boolean {
  return (frame[0] & 7) === 2 && frame[1] < 0x80 && frame.length === 2 + frame[1];
}

t.test(`fields in any order and form mean what they mean to the library; seed ${RUNS.seed}`, async (t) => {
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(2, 3, 4),
      fc.array(fc.oneof({ weight: 9, arbitrary: tame }, field), { maxLength: 9 }),
      (message, fields) => {
        const body = new BinaryWriter();
        for (const each of fields) writeField(body, each as never);
        const frame = new BinaryWriter().tag(message, WireType.LengthDelimited).bytes(body.finish()).finish();
        if (!(decode(frame) instanceof RefusedFrame)) accepted++;
        return agrees(frame);
      },
    ),
    RUNS,
  );
  t.ok(accepted > 50, 'many of them are requests');
});

t.test('an acknowledgement stands beside one request of version 1.1, before it or behind it', async (t) => {
  const [ack, sync, resume] = ['8a01040829100c', '62020801', '72030a0178'];
  const frameOf = (...parts: string[]) => Buffer.from(parts.join(''), 'hex');
  const carrying = { type: 'sync', id: 1, ack: { event: 41, reply: 12 } };
  t.strictSame(decode(frameOf(sync, ack)), carrying);
  t.strictSame(decode(frameOf(ack, sync)), carrying);
  const code = (decoded: unknown) => ((decoded as RefusedFrame).error as SouthbridgeError)?.code;
  t.equal(code(decode(frameOf(ack))), 'bad-message', 'without a request');
  t.equal(code(decode(frameOf(sync, ack, ack))), 'bad-message', 'twice');
  t.equal(code(decode(frameOf(ack, sync, ack))), 'bad-message', 'twice, around the request');
  t.equal(code(decode(frameOf(resume, ack))), 'unknown-key', 'a resume says the same by itself');
  t.equal(code(decode(frameOf('7a00', ack))), 'unknown-key', 'so does an acknowledgement');
  t.equal(code(decode(frameOf(sync, '8a01021801'))), 'unknown-key', 'with a field that is not known');
  t.equal(code(decode(frameOf(sync, '8a010208'))), 'bad-message', 'cut off');

  const text = (fields: object) => Buffer.from(JSON.stringify(fields));
  const textOf = (codec: typeof jsonCodec, fields: object) => {
    try {
      return codec.decode(text(fields), false);
    } catch (error) {
      return error;
    }
  };
  const asText = { type: 'sync', id: 1, ack: { event: '41', reply: '12' } };
  t.strictSame(textOf(sessionJsonCodec, asText), carrying);
  for (const wrong of [{ event: '41' }, { event: 41, reply: 12 }, { event: '41', reply: '12', more: 1 }, '41', null]) {
    t.ok(textOf(sessionJsonCodec, { ...asText, ack: wrong }) instanceof RefusedFrame, JSON.stringify(wrong));
  }
  t.equal(code(textOf(sessionJsonCodec, { type: 'ack', event: '1', reply: '1', ack: asText.ack })), 'unknown-key');

  t.comment('version 1 has none');
  t.equal(code(textOf(jsonCodec, asText)), 'unknown-key');
  for (const frame of [frameOf(sync, ack), frameOf(ack, sync)])
    t.throws(() => protoCodec.decode(frame, true), RefusedFrame);
});

t.test(
  `damaged frames are refused with a code, or are requests to the library as well; seed ${RUNS.seed}`,
  async (t) => {
    const damage = fc.record({ at: fc.nat(400), value: fc.nat(0xff), cut: fc.nat(400), kind: fc.nat(2) });
    fc.assert(
      fc.property(clientMessage, fc.array(damage, { minLength: 1, maxLength: 3 }), (message, damages) => {
        let frame = bytesOf(protoClientCodec.encode(message));
        for (const { at, value, cut, kind } of damages) {
          if (kind === 0 && frame.length > 0) frame[at % frame.length] = value;
          else if (kind === 1) frame = frame.subarray(0, cut % (frame.length + 1));
          else frame = Buffer.concat([frame.subarray(0, at % (frame.length + 1)), Buffer.of(value), frame]);
        }
        return agrees(frame);
      }),
      RUNS,
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), agrees), RUNS);
    t.ok(decode(new Uint8Array(0)) instanceof RefusedFrame, 'nothing at all');
  },
);
