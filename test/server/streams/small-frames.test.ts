import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Writable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import * as ws from 'ws';
import { WebSocket, WebSocketServer } from 'ws';
import { SmallFrames } from '../../../src/server/streams/small-frames.js';
import fc from '../../support/properties.js';

/** Exported, but not in the types. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

/** The largest message that is read in place, and the largest that a receiver takes. */
const LARGEST = 200;
const MAX_PAYLOAD = 800;

interface Frame {
  /** The first byte: FIN, reserved bits, opcode. */
  readonly first: number;
  readonly length: number;
  readonly isMasked: boolean;
  /** Bytes that the length takes: it need not be the shortest form. */
  readonly lengthBytes: 0 | 2 | 8;
}

const ordinary = fc.record({
  first: fc.constantFrom(0x82, 0x82, 0x82, 0x81, 0x89, 0x8a),
  length: fc.oneof(fc.nat(20), fc.nat(125), fc.constantFrom(126, 199, 200, 201, 300)),
  isMasked: fc.constant(true),
  lengthBytes: fc.constantFrom<0 | 2 | 8>(0, 0, 0, 2, 8),
});
/** Fragments, the end of the connection, and what RFC 6455 forbids. */
const rare = fc.record({
  first: fc.constantFrom(0x02, 0x01, 0x00, 0x80, 0x88, 0x83, 0xc2, 0x92, 0x09),
  length: fc.oneof(fc.nat(20), fc.constantFrom(125, 126, 500, 900)),
  isMasked: fc.boolean(),
  lengthBytes: fc.constantFrom<0 | 2 | 8>(0, 2, 8),
});
const frames = fc.array(fc.oneof({ weight: 9, arbitrary: ordinary }, { weight: 1, arbitrary: rare }), {
  minLength: 1,
  maxLength: 24,
});

/** The bytes of a frame, with a payload that counts up, so that each byte tells its place. */
function bytesOf({ first, length, isMasked, lengthBytes }: Frame, seed: number): Buffer {
  let bytes: number = lengthBytes;
  if (length > 125 && bytes === 0) bytes = 2;
  const head = Buffer.alloc(2 + bytes);
  head[0] = first;
  head[1] = (isMasked ? 0x80 : 0) | (bytes === 0 ? length : bytes === 2 ? 126 : 127);
  if (bytes === 2) head.writeUInt16BE(length, 2);
  if (bytes === 8) head.writeBigUInt64BE(BigInt(length), 2);
  // A close frame has a status code; text is ASCII.
  const payload = Buffer.from(Array.from({ length }, (_, index) => (seed + index) & 0x7f));
  if ((first & 0x0f) === 8 && length >= 2) payload.writeUInt16BE(1000, 0);
  if (!isMasked) return Buffer.concat([head, payload]);
  const mask = Buffer.from([seed & 0xff, 0x5a, 0xa5, 0xff]);
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ mask[index & 3])]);
}

/** `bytes` cut at these places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((one, other) => one - other);
  // A copy each: what is read in place is unmasked in place.
  return [0, ...places].map((from, index) => Buffer.from(bytes.subarray(from, places[index] ?? bytes.length)));
}

/** Everything that a receiver says of these pieces, in order. */
function heard(chunks: readonly Buffer[], inPlace: boolean): string[] {
  const said: string[] = [];
  const receiver = new Receiver({ isServer: true, maxPayload: MAX_PAYLOAD });
  const message = (data: Buffer, isBinary: boolean) =>
    said.push(`${isBinary ? 'binary' : 'text'} ${data.toString('hex')}`);
  receiver.on('message', message);
  receiver.on('ping', (data: Buffer) => said.push(`ping ${data.toString('hex')}`));
  receiver.on('pong', (data: Buffer) => said.push(`pong ${data.toString('hex')}`));
  receiver.on('conclude', (code: number, reason: Buffer) => said.push(`close ${code} ${reason.toString('hex')}`));
  receiver.on('error', (error: NodeJS.ErrnoException) => said.push(`error ${error.code}`));
  const socket = { _receiver: receiver as { write(chunk: Buffer): boolean } };
  if (inPlace) {
    SmallFrames.read(socket as unknown as WebSocket, LARGEST, (chunk, from, end) =>
      message(chunk.subarray(from, end), true),
    );
  }
  for (const chunk of chunks) {
    // `ws` reads no further behind an error.
    if (receiver.errored) break;
    socket._receiver.write(chunk);
  }
  return said;
}

t.test('frames that are read in place are those that ws reads, in the same order', async (t) => {
  let read = 0;
  fc.assert(
    fc.property(frames, fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(bytesOf));
      const expected = heard(pieces(bytes, cuts), false);
      read += expected.length;
      const actual = heard(pieces(bytes, cuts), true);
      if (!isDeepStrictEqual(actual, expected))
        throw new Error(`${actual.join('\n')}\ninstead of\n${expected.join('\n')}`);
    }),
    { numRuns: 500 },
  );
  t.ok(read > 1000, 'most frames are read');
});

t.test('the ws that is installed lets small frames be read in place', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.teardown(() => server.close());
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [socket] = (await once(server, 'connection')) as [WebSocket];
  t.teardown(() => client.terminate());
  const inPlace: string[] = [];
  const byWs: string[] = [];
  t.ok(SmallFrames.read(socket, LARGEST, (chunk, from, end) => inPlace.push(chunk.toString('utf8', from, end))));
  socket.on('message', (data) => byWs.push(String(data)));
  await once(client, 'open');
  client.send(Buffer.from('small'));
  client.send('text');
  client.send(Buffer.from('x'.repeat(LARGEST + 1)));
  client.close();
  await once(socket, 'close');
  t.same(inPlace, ['small']);
  t.same(byWs, ['text', 'x'.repeat(LARGEST + 1)]);
});
