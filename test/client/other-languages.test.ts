import { join } from 'node:path';
import t from 'tap';
import type { ClientMessage, Resume } from '../../src/protocol/client-message.js';
import { protoClientCodec } from '../../src/protocol/protobuf/client-codec.js';
import { sessionProtoCodec } from '../../src/protocol/protobuf/codec.js';
import type { Gap, Interrupt, ServerHello, ServerMessage } from '../../src/protocol/server-message.js';
import { addToken } from '../../src/server/security/token-file.js';
import { CLIENT_EXAMPLES, SERVER_EXAMPLES } from '../conformance/examples.js';
import { Driver, LANGUAGES } from '../support/language-drivers.js';
import { ScriptedServer } from '../support/scripted-server.js';
import { TestServer } from '../support/server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const hex = (value: number | bigint) => `0x${value.toString(16)}`;
const wide = ({ low, high }: { readonly low: number; readonly high: number }) => (BigInt(high) << 32n) | BigInt(low);

/** The command that makes a client send a message; undefined if these clients have none. */
function commandFor(message: ClientMessage): string | undefined {
  // acknowledgements.test.ts
  if ('ack' in message) return undefined;
  switch (message.type) {
    case 'access': {
      const { write, posted, address, size } = message.access;
      const what = `${hex(address)} ${size}`;
      return write ? `${posted ? 'post' : 'write'} ${what} ${hex(wide(message.access))}` : `read ${what}`;
    }
    case 'batch': {
      if (message.accesses.some(({ posted }) => posted)) return undefined;
      const words = message.accesses.map((access) =>
        access.write
          ? `w:${hex(access.address)}:${access.size}:${hex(wide(access))}`
          : `r:${hex(access.address)}:${access.size}`,
      );
      return ['batch', ...words].join(' ');
    }
    case 'in':
      return `in ${message.port}`;
    case 'out':
      return `out ${message.port} ${message.value}`;
    case 'line':
      return `line ${message.gsi} ${message.level}`;
    case 'eoi':
      return `eoi ${message.vector}`;
    case 'apic':
      return `apic ${message.logicalId} ${message.format}`;
    case 'step': {
      const { ns, toDeadline = false, read } = message;
      if (!toDeadline && !read) return `step ${ns}`;
      return `step-clock ${ns} ${Number(toDeadline)}${read ? ` ${hex(read.address)} ${read.size}` : ''}`;
    }
    case 'input':
      return `input ${message.input} ${message.level}`;
    case 'inta':
    case 'sync':
      return message.type;
    default:
      return undefined;
  }
}

function levelsOf({ lines, intr }: Pick<Gap, 'lines' | 'intr'>): string {
  return (lines ? ` ${lines.hpet} ${lines.external}` : '') + (intr === undefined ? '' : ` intr ${intr}`);
}

/** The line that a driver prints for an event; undefined if it prints none. */
function lineFor(message: ServerMessage): string | undefined {
  switch (message.type) {
    case 'interrupt': {
      const { vector, deliveryMode: mode, level, logical, destination } = message.message;
      const flags = `${Number(level)} ${Number(logical)}`;
      return `interrupt ${message.sequence} ${vector} ${mode} ${flags} ${destination}`;
    }
    case 'intr':
      return `intr ${message.sequence} ${message.level}`;
    case 'gap': {
      const { from, to } = message;
      return `gap ${from} ${to}${levelsOf(message)}`;
    }
    case 'restored':
      return `restored ${message.event + 1} ${message.sequence}${levelsOf(message)}`;
    default:
      return undefined;
  }
}

for (const { name, skip, driver } of LANGUAGES) {
  t.test(`the client for ${name}`, { skip }, async (t) => {
    const command = driver(temporaryFolder(t));

    t.test('sends and takes the conformance frames', async (t) => {
      const [script, url] = await ScriptedServer.start(t);
      const [client, first] = await Driver.start(t, [...command, url, 'default', '0']);
      t.equal(first, 'open');
      await client.send('sync');
      for (const [example, message] of Object.entries(CLIENT_EXAMPLES)) {
        const text = commandFor(message);
        if (text === undefined) continue;
        script.frames.length = 0;
        await client.send(text);
        // A posted write has no reply; what follows it has.
        if (script.frames.length === 0) await client.send('sync');
        const [frame] = script.frames;
        const { id } = sessionProtoCodec.decode(frame, true) as { id: number };
        const expected = protoClientCodec.encode({ ...message, id } as ClientMessage) as Uint8Array;
        t.equal(frame.toString('hex'), Buffer.from(expected).toString('hex'), example);
      }
      for (const [example, message] of Object.entries(SERVER_EXAMPLES)) {
        const line = lineFor(message);
        if (line !== undefined) {
          script.events = [message];
          t.same(await client.send('sync'), [line, 'ok'], example);
        } else if (message.type === 'reply' && message.time !== undefined) {
          const { time, deadline = 0, value = { low: 0, high: 0 } } = message;
          script.reply = message;
          const answer = `stepped ${time} ${deadline} ${hex(wide(value))}`;
          t.same(await client.send('step-clock 1 1 0xfed000f0 8'), [answer], example);
        } else if (message.type === 'reply' && message.value !== undefined) {
          script.reply = message;
          t.same(await client.send('read 0xfed000f0 8'), [`value ${hex(wide(message.value))}`], example);
        } else if (message.type === 'reply' && message.vector !== undefined) {
          script.reply = message;
          t.same(await client.send('inta'), [`value ${hex(message.vector)}`], example);
        } else if (message.type === 'error') {
          script.reply = message;
          t.same(await client.send('sync'), [`error ${message.code}`], example);
        }
      }
      t.equal(await client.end(), 0);
    });

    t.test('shows its session, acknowledges, and sends again what the server did not accept', async (t) => {
      const [script, url] = await ScriptedServer.start(t);
      const { epoch = '' } = SERVER_EXAMPLES['hello-session'] as ServerHello;
      const credit = 1024;
      script.hello = { type: 'hello', version: 1, machine: 'm', vcpu: 1, sequence: 40, epoch, credit, request: 0 };
      const [client] = await Driver.start(t, [...command, url, 'default', '1']);
      await client.send('sync');
      const [shown, sync] = script.messages();
      t.match(shown, { type: 'resume', session: /^.{16,64}$/, epoch: '', event: 0, reply: 0 });
      t.match(sync, { type: 'sync' });
      const { session } = shown as Resume;
      const interrupt = (sequence: number): ServerMessage => {
        return { ...(SERVER_EXAMPLES['interrupt-edge'] as Interrupt), sequence };
      };
      script.events = Array.from({ length: 64 }, (_, index) => interrupt(41 + index));
      t.equal((await client.send('sync')).length, 65);
      const acknowledged = () => script.messages().findLast((message) => message.type === 'ack')?.event;
      for (let turn = 0; turn < 20 && acknowledged() !== 104; turn++) await client.send('wait 60');
      t.equal(acknowledged(), 104, 'what the application took');
      script.frames.length = 0;
      // Two posted writes and a read, of which a server accepts the first.
      script.isSilent = true;
      await client.send('post 0xfed00010 4 1');
      await client.send('post 0xfed00010 4 2');
      script.hello = { ...script.hello, session, request: 3, sequence: 110 };
      script.onRequest = ({ type, access }) => {
        if (type === 'access' && !access.write) script.drop();
      };
      script.resumedEvents = [interrupt(104), interrupt(105)];
      const answer = client.send('read 0xfed000f0 8');
      t.match(await answer, [/^interrupt 105 /, 'value 0x0'], 'each event once');
      const resumed = script
        .messages()
        .filter(({ type }) => type !== 'ack')
        .slice(-3);
      t.match(resumed, [
        { type: 'resume', session, epoch, event: 104, reply: 2 },
        { type: 'access', access: { write: true, low: 2 } },
        { type: 'access', access: { write: false } },
      ]);
      t.equal(await client.end(), 0);
    });

    t.test('drives a machine over TCP and a Unix socket', async (t) => {
      const path = join(temporaryFolder(t), 'socket');
      const server = await TestServer.start({
        listen: `tcp,unix:${path}`,
        machines: [{ name: 'default', clock: 'manual' }],
      });
      t.teardown(server.stop);
      for (const url of [server.url, server.url.replace('http', 'ws'), `unix:${path}`]) {
        await server.request('POST', '/v1/machines/default/reset', {});
        const [client, first] = await Driver.start(t, [...command, url, 'default', '0']);
        t.equal(first, 'open', url);
        t.same(await client.send('read 0xfed00000 8'), ['value 0x9896808086a201']);
        t.same(await client.send('write 0xfed00010 8 1'), ['ok']);
        t.same(await client.send('step 1000'), ['ok']);
        t.same(await client.send('read 0xfed000f0 8'), ['value 0x64']);
        t.same(await client.send('batch r:0xfed000f0:4 w:0xfec00000:4:0x18 w:0xfec00010:4:0x31'), [
          'results 0x64 0x0 0x0',
        ]);
        t.match(await client.send('line 4 1'), [/^interrupt \d+ 49 0 0 0 0$/, 'ok'], 'before the reply');
        t.same(await client.send('wait 1'), ['timeout']);
        t.same(await client.send('line 4 0'), ['ok']);
        t.same(await client.send('read 0x1000 4'), ['error address-unassigned']);
        t.same(await client.send('post 0x1000 4 1'), ['ok']);
        t.same(await client.send('sync'), ['ok'], 'the fence');
        t.same(await client.send('sync'), ['error address-unassigned'], 'of the posted write');
        t.same(await client.send('sync'), ['ok'], 'and goes on');
        t.equal(await client.end(), 0);
      }
      const [, refused] = await Driver.start(t, [...command, `unix:${path}`, 'none', '0']);
      t.equal(refused, 'error unknown-machine');
      const [, absent] = await Driver.start(t, [...command, `unix:${path}x`, 'default', '0']);
      t.equal(absent, 'error connection-refused');
    });

    t.test('takes over with a token, and gets what came while it was away', async (t) => {
      const tokens = join(temporaryFolder(t), 'tokens');
      const token = addToken(tokens, 'd', 'admin');
      const server = await TestServer.start({
        tokenFile: tokens,
        machines: [{ name: 'default', clock: 'manual' }],
        limits: { pendingInterrupts: 3 },
      });
      t.teardown(server.stop);
      const [, refused] = await Driver.start(t, [...command, server.url, 'default', '0']);
      t.equal(refused, 'error token-missing');
      const [one, opened] = await Driver.start(t, [...command, server.url, 'default', '0', token]);
      t.equal(opened, 'open');
      const [, taken] = await Driver.start(t, [...command, server.url, 'default', '0', token]);
      t.equal(taken, 'error vcpu-taken');
      await one.send('batch w:0xfec00000:4:0x18 w:0xfec00010:4:0x31');
      const [, shown] = (await one.send('token'))[0].split(' ');
      const [two, second] = await Driver.start(t, [...command, server.url, 'default', '0', token, shown]);
      t.equal(second, 'open');
      t.same(await one.send('sync'), ['error vcpu-replaced']);
      t.same(await one.send('sync'), ['error connection-lost'], 'it is closed');
      // The token before stays valid until the new connection has sent something.
      await two.send('sync');
      t.match(await one.send('reconnect'), [/^error (vcpu-taken|wrong-resume-token)$/]);
      t.equal(await two.end(), 0);
      const headers = { authorization: `Bearer ${token}` };
      for (let pulse = 0; pulse < 5; pulse++) {
        for (const level of [1, 0]) await server.request('POST', '/v1/machines/default/lines/4', { level }, headers);
      }
      const events = await one.send('reconnect');
      t.equal(events.at(-1), 'ok');
      const hasGap = () => events.some((line) => line.startsWith('gap'));
      for (let turn = 0; turn < 10 && !hasGap(); turn++) events.push(...(await one.send('wait 5000')));
      t.ok(hasGap(), 'a gap stands for the rest');
      t.equal(events.filter((line) => line.startsWith('interrupt')).length, 3, 'what is kept');
      t.equal(await one.end(), 0);
    });
  });
}
