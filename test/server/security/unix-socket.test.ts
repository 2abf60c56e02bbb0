import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { IrqStream, Southbridge } from '../../../src/client/index.js';
import { SyncVcpu } from '../../../src/client/sync/index.js';
import type { ConfigurationInput } from '../../../src/config/schema.js';
import { loadConfiguration } from '../../../src/config/sources.js';
import { addToken } from '../../../src/server/security/token-file.js';
import { isUnixSocket } from '../../../src/server/security/unix-socket.js';
import { certificate, skipTls } from '../../support/certificate.js';
import { CLI, Program, southbridge, southbridgeBeside } from '../../support/program.js';
import { TestServer } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

async function started(t: Test, input: ConfigurationInput = {}, listen = 'unix:') {
  // A colon and a space are allowed in a path, and URLs would encode them.
  const path = join(temporaryFolder(t), 'a b:c.sock');
  const server = await TestServer.start({ ...input, listen: `${listen}${path}` });
  t.teardown(server.stop);
  return { path, url: `unix:${path}`, server };
}

t.test('every client works over a Unix socket, and it goes with the server', async (t) => {
  const { path, url, server } = await started(t, { machines: [{ name: 'm', clock: 'manual' }] });
  t.equal(server.url, url);
  t.equal(statSync(path).mode & 0o777, 0o600);
  const southbridge = new Southbridge(url);
  t.match(await southbridge.machines(), [{ name: 'm' }]);
  const stream = await southbridge.irqs('m', { kinds: ['line'] });
  const vcpu = await southbridge.vcpu('m', 0);
  t.equal(await vcpu.read(0xfed00004, 4), 10_000_000);
  await vcpu.setLine(4, 1);
  for await (const event of stream) {
    t.match(event, { event: { kind: 'line', gsi: 4, level: 1 } });
    break;
  }
  await t.rejects(southbridge.vcpu('none', 0), { code: 'unknown-machine' });
  await t.rejects(southbridge.request('GET', '/none'), { code: 'unknown-route' });
  vcpu.close();
  await server.stop();
  t.notOk(existsSync(path), 'removed');
  await t.rejects(southbridge.machines(), { cause: { code: 'ENOENT' } });
  await t.rejects(IrqStream.connect(url, 'm', { reconnect: false }), { code: 'connection-refused' });
});

t.test('with TCP, HTTPS and tokens beside it, a Unix socket has none of them', { skip: skipTls }, async (t) => {
  const folder = temporaryFolder(t);
  const tls = certificate(folder, 'server');
  const tokens = join(folder, 'tokens');
  const secret = addToken(tokens, 'o', 'observe');
  const { url, server } = await started(t, { tls, tokenFile: tokens }, 'tcp,unix:');
  t.match(server.url, /^https:/);
  t.match(await new Southbridge(url).createMachine({ name: 'made' }), { name: 'made' }, 'every role');
  const vcpu = await new Southbridge(url).vcpu('made', 0);
  t.equal(await vcpu.read(0xfed00004, 4), 10_000_000);
  vcpu.close();
  const limited = new Southbridge(url, { token: secret });
  t.ok(await limited.machines());
  await t.rejects(limited.deleteMachine('made'), { code: 'role-too-low' }, 'a token that is shown counts');
  const wrong = new Southbridge(url, { token: `${secret}x` });
  await t.rejects(wrong.machines(), { code: 'token-unknown' });
});

t.test('a TCP connection that has ended does not pass for a Unix socket', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = await once(server, 'connection');
  socket.destroy();
  t.equal(socket.remoteAddress, undefined, 'it has no address, as those of Unix sockets');
  t.notOk(isUnixSocket(socket));
  client.destroy();
  server.close();
});

t.test('the socket of a server that runs is refused, that of a dead one replaced', async (t) => {
  const path = join(temporaryFolder(t), 's');
  const serve = () => new Program([CLI, 'serve', '--listen', `unix:${path}`, '--log-level', 'silent']);
  const first = serve();
  t.teardown(() => first.child.kill('SIGKILL'));
  t.equal(await first.line(), `Southbridge listens on unix:${path}`);
  t.match(southbridge(['serve', '--listen', `unix:${path}`]), { status: 1, stderr: /A running server listens on/ });
  t.match(await southbridgeBeside(['poke', 'read', '0xfed00004', '--size', '4', '--url', `unix:${path}`]), {
    stdout: '0x00989680\n',
  });
  first.child.kill('SIGKILL');
  await first.exited;
  t.ok(existsSync(path), 'left behind');
  const second = serve();
  t.teardown(() => second.child.kill('SIGKILL'));
  t.equal(await second.line(), `Southbridge listens on unix:${path}`);
  const blocking = SyncVcpu.connect(`unix:${path}`, 'default', 0);
  t.equal(blocking.read(0xfed00004, 4), 10_000_000, 'the blocking client');
  blocking.close();
  second.child.kill('SIGTERM');
  t.equal(await second.exited, 0);
  t.notOk(existsSync(path));
});

t.test('what cannot be a socket is refused with a code, and left as it is', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'file');
  writeFileSync(file, 'text');
  await t.rejects(TestServer.start({ listen: `unix:${file}` }), { code: 'socket-unusable', message: /not a socket/ });
  t.equal(readFileSync(file, 'utf8'), 'text');
  const missing = join(folder, 'none', 's');
  await t.rejects(TestServer.start({ listen: `unix:${missing}` }), {
    code: 'socket-unusable',
    message: /ENOENT|EACCES/,
  });
  const holder = createServer().listen(join(folder, 'other'));
  await once(holder, 'listening');
  await t.rejects(TestServer.start({ listen: `tcp,unix:${join(folder, 'other')}` }), { code: 'socket-in-use' });
  holder.close();
});

t.test('the key listen', async (t) => {
  const load = (listen: string, host = '127.0.0.1') =>
    loadConfiguration({
      flags: [
        { key: 'listen', text: listen, flag: '--listen' },
        { key: 'host', text: host, flag: '--host' },
      ],
    });
  for (const listen of ['', 'udp', 'unix:', 'unix:a,tcp', 'unix:a,unix:b'])
    t.throws(() => load(listen), { message: /of key listen \(--listen\) is not allowed/ }, listen);
  const long = { message: /must be the path of a Unix socket with at most \d+ bytes/ };
  t.throws(() => load(`unix:/${'ü'.repeat(54)}`), long);
  t.ok(load('unix:s', '0.0.0.0'), 'without TCP, others do not reach the host');
  t.throws(() => load('tcp,unix:s', '0.0.0.0'), { message: /Without tokens/ });
});

t.test('every command that talks to a server takes the address of a Unix socket', async (t) => {
  const { url } = await started(t, { machines: [{ name: 'm', clock: 'manual' }, { name: 'r' }] });
  const run = (...args: string[]) => southbridgeBeside([...args, '--url', url]);
  t.match(await run('poke', 'step', '1000', '--machine', 'm'), { stdout: 'now at 1000 ns\n' });
  t.match(await run('replay', 'test/vectors/hpet_legacy.jsonl'), { stdout: /^1 passed, 0 failed$/m });
  const trace = await run('trace', 'record', '--machine', 'r', '--duration', '0.05', '-o', '-');
  t.match(trace, { status: 0, stdout: /traceEvents/ });
  t.match(await run('load', '--vcpus', '1', '--duration', '100ms'), {
    status: 0,
    stdout: /ok: no interrupt lost or doubled/,
  });
  const { status, stderr } = await southbridgeBeside(['poke', 'read', '0xfed00000', '--url', 'unix:none']);
  t.match({ status, stderr }, { status: 2, stderr: /no server answers at unix:\S+none \(ENOENT\)/ });
});
