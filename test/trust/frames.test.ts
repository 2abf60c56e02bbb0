import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { SouthbridgeError } from '../../src/errors.js';
import type { ClientMessage } from '../../src/protocol/client-message.js';
import type { ClientCodec, Codec, Frame } from '../../src/protocol/codec.js';
import { jsonClientCodec } from '../../src/protocol/json/client-codec.js';
import { jsonCodec } from '../../src/protocol/json/codec.js';
import { protoClientCodec } from '../../src/protocol/protobuf/client-codec.js';
import { protoCodec } from '../../src/protocol/protobuf/codec.js';
import type { ServerMessage } from '../../src/protocol/server-message.js';
import { checkAccess } from '../../src/server/streams/access.js';
import fc from '../support/properties.js';
import { seed } from '../support/random.js';
import { tier } from '../support/tier.js';
import { jsonFrame, protoFrame } from './support/frame-arbitraries.js';
import { FuzzSocket } from './support/fuzz-socket.js';
import { faultOf, Victim } from './support/victim.js';

const BATCH = 500;
const SETTINGS = ['limits.frameBytes=4096', 'limits.batchAccesses=16', 'machines=[{name: m, clock: manual, vcpus: 3}]'];

interface Form {
  readonly name: string;
  readonly client: ClientCodec;
  readonly server: Codec;
  readonly frame: fc.Arbitrary<Frame>;
}

const FORMS: readonly Form[] = [
  { name: 'proto', client: protoClientCodec, server: protoCodec, frame: protoFrame },
  { name: 'json', client: jsonClientCodec, server: jsonCodec, frame: jsonFrame },
];

/** Whether a frame is refused whatever the state of the machine is. */
function isRefused(frame: Frame, { server }: Form): boolean {
  try {
    check(server.decode(typeof frame === 'string' ? Buffer.from(frame) : frame, typeof frame !== 'string'));
    return false;
  } catch {
    return true;
  }
}

/** Throws what the server refuses after it has read a message. */
function check(message: ClientMessage): void {
  if (message.type === 'access') checkAccess(message.access);
  if (message.type !== 'batch') return;
  if (message.accesses.length > 16) throw new SouthbridgeError('batch-too-large', { count: 0, limit: 16 });
  for (const access of message.accesses) checkAccess(access);
}

function shown(frame: Frame): string {
  return typeof frame === 'string' ? JSON.stringify(frame) : Buffer.from(frame).toString('hex');
}

function faultIn(answers: readonly ServerMessage[]): string | undefined {
  for (const answer of answers) {
    const fault = answer.type === 'error' ? faultOf(answer.code, answer.message) : undefined;
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** One batch: what must be refused first, and then everything. Throws what is wrong, and with which frames. */
async function batch(victim: Victim, socket: FuzzSocket, form: Form, frames: readonly Frame[]): Promise<number> {
  const bad = frames.filter((frame) => isRefused(frame, form));
  const before = await victim.stateOf('m');
  const answers = await socket.exchange(bad);
  const fault = faultIn(answers) ?? (answers.length === bad.length ? undefined : `${answers.length} answers`);
  if (fault !== undefined || answers.some(({ type }) => type !== 'error') || (await victim.stateOf('m')) !== before) {
    throw new Error(
      `${fault ?? 'not all are refused, or they change something'}: ${await culprit(victim, socket, bad)}`,
    );
  }
  const fault2 = faultIn(await socket.exchange(frames));
  if (fault2 !== undefined) throw new Error(`${fault2}: one of ${frames.map(shown).join(' ')}`);
  await victim.requireHealth();
  return bad.length;
}

/** The first of the frames that is not refused by itself, or changes something. */
async function culprit(victim: Victim, socket: FuzzSocket, frames: readonly Frame[]): Promise<string> {
  for (const frame of frames) {
    const before = await victim.stateOf('m');
    const [answer, ...others] = await socket.exchange([frame]);
    const isProper =
      answer?.type === 'error' && others.length === 0 && faultOf(answer.code, answer.message) === undefined;
    if (!isProper || (await victim.stateOf('m')) !== before) return `${shown(frame)} gave ${JSON.stringify(answer)}`;
  }
  return `none alone of ${frames.map(shown).join(' ')}`;
}

t.test(`${tier.fuzzedFrames} frames of both forms`, async (t) => {
  const first = seed();
  t.comment(`TEST_SEED=${first}; a batch that fails names its own`);
  const victim = await Victim.start(t, ...SETTINGS);
  const sockets = await Promise.all(
    FORMS.map(({ client }, vcpu) =>
      FuzzSocket.connect(`${victim.url.replace('http', 'ws')}/v1/machines/m/vcpus/${vcpu}`, client),
    ),
  );
  let sent = 0;
  let refused = 0;
  for (let batchSeed = first; sent < tier.fuzzedFrames; batchSeed++) {
    for (const [index, form] of FORMS.entries()) {
      const frames = fc.sample(form.frame, { numRuns: BATCH, seed: batchSeed });
      try {
        refused += await batch(victim, sockets[index], form, frames);
      } catch (error) {
        t.fail(`TEST_SEED=${batchSeed}, ${form.name}: ${error}`);
        sent = Number.POSITIVE_INFINITY;
        break;
      }
      sent += frames.length;
    }
  }
  t.ok(refused > sent / 4 && refused < sent, `${sent} frames, of which ${refused} had to be refused`);
  for (const socket of sockets) socket.close();
  await victim.end(t);
});

/** Header and payload of one frame of RFC 6455 that may break any of its rules. */
const rawFrame = fc
  .record({
    first: fc.oneof(fc.nat(255), fc.constantFrom(0x81, 0x82, 0x01, 0x00, 0x88, 0x89, 0x8a)),
    masked: fc.boolean(),
    length: fc.oneof(fc.nat(125), fc.constantFrom(126, 127)),
    payload: fc.uint8Array({ maxLength: 140 }),
  })
  .map(({ first, masked, length, payload }) =>
    Buffer.concat([Uint8Array.of(first, (masked ? 0x80 : 0) | length), payload]),
  );

t.test(`${tier.fuzzedSockets} connections that break the rules of WebSockets`, async (t) => {
  const first = seed();
  t.comment(`TEST_SEED=${first}`);
  const victim = await Victim.start(t, ...SETTINGS);
  const before = await victim.stateOf('m');
  const connections = fc.sample(fc.array(rawFrame, { minLength: 1, maxLength: 6 }), {
    numRuns: tier.fuzzedSockets,
    seed: first,
  });
  for (const frames of connections) {
    const socket = connect(Number(new URL(victim.url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write(
      'GET /v1/machines/m/irqs HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
        'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await once(socket, 'data');
    socket.end(Buffer.concat(frames));
    await once(socket, 'close');
  }
  await victim.requireHealth();
  t.equal(await victim.stateOf('m'), before, 'nothing changed');
  await victim.end(t);
});
