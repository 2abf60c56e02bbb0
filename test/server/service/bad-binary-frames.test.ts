import t from 'tap';
import type { ErrorCode } from '../../../src/errors.js';
import { protoClientCodec } from '../../../src/protocol/protobuf/client-codec.js';
import { protoCodec } from '../../../src/protocol/protobuf/codec.js';
import { CodedClient } from '../../support/coded-client.js';
import fc from '../../support/properties.js';
import { Random, seed } from '../../support/random.js';
import { TestServer } from '../../support/server.js';

/** A frame in hexadecimal (spaces only divide), the code of its refusal, and the id in it. */
const FRAMES: readonly (readonly [string, ErrorCode, number | undefined])[] = [
  ['', 'bad-message', undefined],
  ['62', 'bad-message', undefined],
  ['62 02 08', 'bad-message', undefined],
  ['62 01 08', 'bad-message', undefined],
  ['00 00', 'bad-message', undefined],
  ['ff ff ff ff ff ff', 'bad-message', undefined],
  // Two requests in a frame
  ['62 02 08 01 62 02 08 02', 'bad-message', undefined],
  // Field 14; sync as a number
  ['72 02 08 01', 'unknown-message-type', undefined],
  ['60 01', 'bad-message', undefined],
  // sync with a field 2; read with a value
  ['62 04 08 07 10 01', 'unknown-key', 7],
  ['12 0e 08 07 10 04 1d f0 00 d0 fe 2d 01 00 00 00', 'unknown-key', 7],
  // The field ends early, or is of another type
  ['12 05 08 07 10 04 1d', 'bad-message', 7],
  ['12 06 08 07 10 04 1d f0', 'bad-message', 7],
  ['12 09 08 07 10 03 1d f0 00 d0 fe', 'bad-size', 7],
  ['12 07 08 07 1d f0 00 d0 fe', 'bad-size', 7],
  ['12 09 08 07 10 04 1d 00 10 00 00', 'address-unassigned', 7],
  ['12 0e 08 07 10 04 1d f0 00 d0 fe 25 ff ff ff ff', 'address-unassigned', 7],
  ['12 0e 08 07 10 04 1d f0 00 d0 fe 25 01 00 00 00', 'address-unassigned', 7],
  // Main counter: 2^32 in 4 bytes; posted, nowhere
  ['1a 0e 08 07 10 04 1d f0 00 d0 fe 35 01 00 00 00', 'value-too-wide', 7],
  ['1a 0b 08 07 10 04 1d 00 10 00 00 38 01', 'address-unassigned', 7],
  // Batches: 15 bytes; reserved kind, flag and byte; a read with a value; a posted read; a second access nowhere
  ['22 13 08 07 12 0f 0c000000f000d0fe00000000000000', 'bad-message', 7],
  ['22 14 08 07 12 10 0e000000f000d0fe0000000000000000', 'bad-message', 7],
  ['22 14 08 07 12 10 2c000000f000d0fe0000000000000000', 'bad-message', 7],
  ['22 14 08 07 12 10 0c010000f000d0fe0000000000000000', 'bad-message', 7],
  ['22 14 08 07 12 10 0c000000f000d0fe0100000000000000', 'bad-message', 7],
  ['22 14 08 07 12 10 1c000000f000d0fe0000000000000000', 'bad-message', 7],
  ['22 24 08 07 12 20 0d000000f000d0fe0100000000000000 0c00000000000000 0000000000000000', 'address-unassigned', 7],
  ['22 24 08 07 12 20 0d000000f000d0fe0100000000000000 0c000100f000d0fe 0000000000000000', 'address-unassigned', 7],
  [`22 54 08 07 12 50 ${'0c000000f000d0fe0000000000000000'.repeat(5)}`, 'batch-too-large', 7],
  // Ports 0x10000 and 0x70; a value of 9 bits
  ['2a 06 08 07 10 80 80 04', 'bad-value', 7],
  ['2a 04 08 07 10 70', 'bad-port', 7],
  ['32 07 08 07 10 20 18 80 02', 'bad-value', 7],
  ['42 06 08 07 10 18 18 01', 'bad-gsi', 7],
  ['4a 05 08 07 10 80 02', 'bad-vector', 7],
  // Logical id 256; format 0 and 3
  ['52 07 08 07 10 80 02 18 01', 'bad-value', 7],
  ['52 04 08 07 10 01', 'bad-value', 7],
  ['52 06 08 07 10 01 18 03', 'bad-value', 7],
  ['5a 0d 08 07 10 ff ff ff ff ff ff ff ff ff 01', 'step-too-far', 7],
  // Kinds 0 and 5, and one twice
  ['6a 05 08 07 12 01 00', 'bad-value', 7],
  ['6a 05 08 07 12 01 05', 'bad-value', 7],
  ['6a 06 08 07 12 02 01 01', 'bad-value', 7],
  // hello of version 0, and with a name that is not UTF-8
  ['0a 02 08 07', 'bad-value', 7],
  ['0a 06 08 07 10 01 1a 01', 'bad-message', 7],
  [`22 85 08 12 82 08 ${'00'.repeat(1026)}`, 'frame-too-large', undefined],
];

t.test('bad binary frames have a coded answer and change nothing', async (t) => {
  const server = await TestServer.start({
    limits: { frameBytes: 1024, batchAccesses: 4 },
    machines: [{ name: 'm', clock: 'manual', vcpus: 2 }],
  });
  t.teardown(server.stop);
  const client = await CodedClient.connect(server.socketUrl('/v1/machines/m/vcpus/0'), protoClientCodec);
  const look = async () => [
    await server.get('/v1/machines/m'),
    await server.get('/v1/machines/m/hpet'),
    await server.get('/v1/machines/m/ioapic'),
  ];
  const before = await look();

  for (const [hex, code, id] of FRAMES) {
    const answer = await client.frame(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    const { type, code: got, id: gotId, message } = answer as typeof answer & { type: 'error' };
    t.strictSame([type, got, gotId], ['error', code, id], hex.slice(0, 60));
    t.notMatch(message, /undefined|\{\w+\}/);
  }
  const text = await client.frame('{"type":"sync","id":1}');
  t.match(text, { type: 'error', code: 'bad-message' }, 'text is refused as well');
  t.strictSame(await look(), before, 'nothing changed');

  // Frames with damage, as far as they are refused without the machine
  const random = new Random(seed());
  const good = protoClientCodec.encode({
    type: 'batch',
    id: 9,
    accesses: [
      { write: true, posted: false, address: 0xfed00010, size: 4, low: 1, high: 0 },
      { write: true, posted: true, address: 0xfed000f0, size: 8, low: 1, high: 2 },
    ],
  }) as Uint8Array;
  let refused = 0;
  while (refused < 300) {
    const frame = Buffer.from(good);
    for (let count = 0; count <= random.below(3); count++) frame[random.below(frame.length)] = random.below(256);
    if (isRequest(frame)) continue;
    const answer = await client.frame(frame);
    if (answer.type !== 'error') t.fail(`${frame.toString('hex')}, seed ${random.seed}`);
    refused++;
  }
  for (const frame of fc.sample(fc.uint8Array({ maxLength: 40 }), { numRuns: 200, seed: random.seed })) {
    if (isRequest(frame)) continue;
    const answer = await client.frame(frame);
    if (answer.type !== 'error') t.fail(`${Buffer.from(frame).toString('hex')}, seed ${random.seed}`);
  }
  t.strictSame(await look(), before, 'nothing changed still');
  t.equal(
    (await client.frame(protoClientCodec.encode({ type: 'sync', id: 5 }))).type,
    'reply',
    'the connection goes on',
  );
  client.socket.terminate();
});

function isRequest(frame: Uint8Array): boolean {
  try {
    protoCodec.decode(frame, true);
    return true;
  } catch {
    return false;
  }
}
