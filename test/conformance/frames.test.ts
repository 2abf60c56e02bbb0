import { readFileSync } from 'node:fs';
import { fromBinary, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import t from 'tap';
import { jsonClientCodec } from '../../src/protocol/json/client-codec.js';
import { jsonCodec, sessionJsonCodec } from '../../src/protocol/json/codec.js';
import { protoClientCodec } from '../../src/protocol/protobuf/client-codec.js';
import { protoCodec, sessionProtoCodec } from '../../src/protocol/protobuf/codec.js';
import type { ServerMessage } from '../../src/protocol/server-message.js';
import { ClientMessageSchema } from '../protocol/gen/southbridge/v1/client_pb.js';
import { ServerMessageSchema } from '../protocol/gen/southbridge/v1/server_pb.js';
import { CLIENT_EXAMPLES, SERVER_EXAMPLES } from './examples.js';

interface Entry {
  readonly name: string;
  readonly from: 'client' | 'server';
  readonly hex: string;
  readonly proto: JsonValue;
  readonly text: JsonValue;
}

const FRAMES = new URL('../../../test/conformance/frames.json', import.meta.url);
const ENTRIES: readonly Entry[] = JSON.parse(readFileSync(FRAMES, 'utf8'));

const hexOf = (frame: string | Uint8Array) => Buffer.from(frame as Uint8Array).toString('hex');

/** The binary form leaves out the sizes of what a batch read. */
function withoutSizes(message: ServerMessage): ServerMessage {
  if (message.type !== 'reply' || !message.results) return message;
  return { ...message, results: { ...message.results, sizes: undefined } };
}

t.test('there is an example frame for every message', async (t) => {
  const names = (from: Entry['from']) => ENTRIES.filter((entry) => entry.from === from).map(({ name }) => name);
  t.strictSame(names('client'), Object.keys(CLIENT_EXAMPLES));
  t.strictSame(names('server'), Object.keys(SERVER_EXAMPLES));
  const used = (from: Entry['from']) =>
    new Set(ENTRIES.filter((entry) => entry.from === from).flatMap(({ proto }) => Object.keys(proto as object)));
  t.strictSame([...used('client')].sort(), ClientMessageSchema.fields.map(({ jsonName }) => jsonName).sort());
  t.strictSame([...used('server')].sort(), ServerMessageSchema.fields.map(({ jsonName }) => jsonName).sort());
});

t.test('the library decodes and encodes every example, byte for byte', async (t) => {
  for (const { name, from, hex, proto } of ENTRIES) {
    const bytes = Buffer.from(hex, 'hex');
    if (from === 'client') {
      const message = fromBinary(ClientMessageSchema, bytes);
      t.strictSame(toJson(ClientMessageSchema, message), proto, name);
      t.equal(hexOf(toBinary(ClientMessageSchema, message)), hex, name);
    } else {
      const message = fromBinary(ServerMessageSchema, bytes);
      t.strictSame(toJson(ServerMessageSchema, message), proto, name);
      t.equal(hexOf(toBinary(ServerMessageSchema, message)), hex, name);
    }
  }
});

t.test('this implementation decodes and encodes every example, byte for byte', async (t) => {
  for (const { name, from, hex, text } of ENTRIES) {
    const bytes = Buffer.from(hex, 'hex');
    if (from === 'client') {
      const message = sessionProtoCodec.decode(bytes, true);
      t.strictSame(message, CLIENT_EXAMPLES[name], name);
      t.equal(hexOf(protoClientCodec.encode(message)), hex, name);
      t.strictSame(sessionJsonCodec.decode(Buffer.from(JSON.stringify(text)), false), message, `${name} as text`);
      t.strictSame(JSON.parse(String(jsonClientCodec.encode(message))), text, `${name} to text`);
    } else {
      const message = protoClientCodec.decode(bytes);
      t.strictSame(message, withoutSizes(SERVER_EXAMPLES[name]), name);
      t.equal(hexOf(protoCodec.encode(message)), hex, name);
      const fromText = jsonClientCodec.decode(JSON.stringify(text));
      t.strictSame(withoutSizes(fromText), message, `${name} as text`);
      t.strictSame(JSON.parse(String(jsonCodec.encode(fromText))), text, `${name} to text`);
    }
  }
});
