import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { WebSocket } from 'ws';
import { Southbridge, Vcpu } from '../../../src/client/index.js';
import { SyncVcpu } from '../../../src/client/sync/index.js';
import { loadConfiguration } from '../../../src/config/sources.js';
import { startServer } from '../../../src/server/boot.js';
import { addToken, removeToken } from '../../../src/server/security/token-file.js';
import { refusals, set } from '../../config/load.js';
import { EventSourceClient } from '../../support/event-source-client.js';
import { CLI, Program, southbridge, southbridgeBeside } from '../../support/program.js';
import { configuration } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { roleTokens } from '../../support/token-file.js';
import { VcpuClient } from '../../support/vcpu-client.js';

const TRACE = 'test/vectors/hpet_legacy.jsonl';

t.test('another address than loopback needs tokens, or an explicit word', async (t) => {
  const load = (...flags: [string, string][]) => loadConfiguration({ flags: flags.map((flag) => set(...flag)) });
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org', '127.0.0.1.example.org', '1127.0.0.1']) {
    const [error, ...others] = refusals(() => load(['host', host]));
    t.equal(error.code, 'config-exposed', host);
    t.match(error.message, host);
    t.equal(others.length, 0);
    t.equal(load(['host', host], ['insecure', 'true']).configuration.host, host);
    t.equal(load(['host', host], ['tokenFile', 'tokens']).configuration.host, host);
  }
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost', 'LOCALHOST', '::ffff:127.0.0.1']) {
    t.equal(load(['host', host]).configuration.host, host, `${host} is loopback`);
  }
  const { status, stdout, stderr } = southbridge(['serve', '--host', '203.0.113.1', '--port', '0']);
  t.equal(status, 1);
  t.equal(stdout, '');
  t.match(
    stderr,
    /^error: Without tokens any client that reaches 203\.0\.113\.1 has full access; .*--token-file .*--insecure/,
  );
});

t.test('tokens are made, listed and removed', async (t) => {
  const file = join(temporaryFolder(t), 'tokens');
  const made = southbridge(['token', 'add', 'ci', '--role', 'drive', '--file', file]);
  t.equal(made.status, 0);
  const token = made.stdout.trim();
  t.match(token, /^sbt_[A-Za-z0-9_-]{43}$/, 'with 256 bits');
  const kept = readFileSync(file, 'utf8');
  t.notMatch(kept, token, 'the file does not hold it');
  t.match(kept, /^ci drive sha256:[0-9a-f]{64} \d{4}-\d\d-\d\d$/m);
  t.equal(statSync(file).mode & 0o777, 0o600, 'the file is the owner’s alone');
  t.not(addToken(file, 'other', 'admin'), token);
  t.match(southbridge(['token', 'list', '--file', file]).stdout, /^ci drive \S+\nother admin \S+\n$/);
  t.match(southbridge(['token', 'add', 'ci', '--role', 'admin', '--file', file]), {
    status: 1,
    stderr: /^error: The token ci already exists in /,
  });
  t.equal(southbridge(['token', 'remove', 'ci', '--file', file]).status, 0);
  t.throws(() => removeToken(file, 'ci'), { code: 'unknown-token' });
  t.notMatch(readFileSync(file, 'utf8'), /^ci /m);
  t.match(readFileSync(file, 'utf8'), /^other admin /m);
  t.throws(() => addToken(file, 'two words', 'admin'), { code: 'bad-value' });
});

t.test('a token file that cannot be trusted stops the start', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'tokens');
  const hash = '0'.repeat(64);
  const start = (text: string, mode = 0o600) => {
    writeFileSync(file, text);
    chmodSync(file, mode);
    return startServer(configuration({ tokenFile: file }));
  };
  for (const [text, reason] of [
    ['ci drive', /line 1 is not of the form/],
    [`# x\n\nci boss sha256:${hash} 2026-11-25`, /line 3 has a role that is none of observe, drive, admin/],
    [
      `a admin sha256:${hash} 2026-11-25\na drive sha256:${hash} 2026-11-25\n`,
      /line 2 has a name that another line has/,
    ],
    [`a admin sha256:${hash.slice(1)} 2026-11-25`, /line 1/],
  ] as const) {
    await t.rejects(start(text), { code: 'token-file-unusable', message: reason });
  }
  const good = `a admin sha256:${hash} 2026-11-25\n`;
  for (const mode of [0o620, 0o602, 0o666]) {
    await t.rejects(start(good, mode), { code: 'token-file-unusable', message: /chmod go-w/ });
  }
  await (await start(good, 0o644)).close();
  await t.rejects(startServer(configuration({ tokenFile: join(folder, 'none') })), { code: 'token-file-unusable' });
});

t.test('clients show a token', async (t) => {
  const { file, tokens } = roleTokens(t);
  const program = new Program([CLI, 'serve', '--port', '0', '--log-level', 'debug', '--token-file', file]);
  t.teardown(() => program.child.kill('SIGKILL'));
  const url = String((await program.line())?.match(/http:\S+/)?.[0]);
  t.equal(await program.line(), '  read -rs SOUTHBRIDGE_TOKEN && export SOUTHBRIDGE_TOKEN');
  t.match(await program.line(), '-H "authorization: Bearer $SOUTHBRIDGE_TOKEN"');

  const admin = new Southbridge(url, { token: tokens.admin });
  await admin.createMachine({ name: 'm', clock: 'manual' });
  await t.rejects(new Southbridge(url).machines(), { code: 'token-missing', status: 401 });
  await t.rejects(new Southbridge(url, { token: tokens.drive }).createMachine({ name: 'x' }), { code: 'role-too-low' });
  const vcpu = await Vcpu.connect(url, 'm', 0, { token: tokens.drive });
  await vcpu.write(0xfed000f0, 8, 7n);
  t.equal(await vcpu.read(0xfed000f0, 8), 7n);
  await vcpu.close();
  await t.rejects(Vcpu.connect(url, 'm', 0, { token: tokens.observe }), { code: 'role-too-low' });
  const stream = await admin.irqs('m', { token: tokens.observe });
  stream.close();

  const blocking = SyncVcpu.connect(url, 'm', 1, { token: tokens.drive });
  t.equal(blocking.read(0xfed000f0, 8), 7n);
  blocking.close();

  t.match(await southbridgeBeside(['replay', '--url', url, TRACE]), { status: 1, stdout: /token-missing/ });
  t.match(await southbridgeBeside(['replay', '--url', url, TRACE], { SOUTHBRIDGE_TOKEN: tokens.admin }), { status: 0 });
  const own = join(temporaryFolder(t), 'token');
  writeFileSync(own, `${tokens.admin}\n`);
  t.match(await southbridgeBeside(['replay', '--url', url, '--token-file', own, TRACE]), { status: 0 });
  t.match(await southbridgeBeside(['replay', '--url', url, '--token-file', file, TRACE]), {
    status: 2,
    stderr: /one token/,
  });

  await fetch(`${url}/v1/machines?access_token=${tokens.admin}`);
  program.child.kill('SIGTERM');
  t.equal(await program.exited, 0);
  t.match(program.stderr, /"token":"admin"/, 'the log says whose request it was');
  for (const token of Object.values(tokens)) t.notMatch(program.stderr, token, 'no token is in the log');
});

t.test('a token that is removed ends its connections; others go on', async (t) => {
  const { file, tokens } = roleTokens(t);
  const program = new Program([CLI, 'serve', '--port', '0', '--log-level', 'info', '--token-file', file]);
  t.teardown(() => program.child.kill('SIGKILL'));
  const url = String((await program.line())?.match(/http:\S+/)?.[0]);
  const connect = (vcpu: number, token: string) =>
    VcpuClient.connect(`${url.replace('http', 'ws')}/v1/machines/default/vcpus/${vcpu}`, {
      headers: { authorization: `Bearer ${token}` },
    });
  const gone = await connect(0, tokens.drive);
  const stays = await connect(1, tokens.admin);
  const events = (token: string) =>
    EventSourceClient.connect(`${url}/v1/machines/default/irqs/events`, { authorization: `Bearer ${token}` });
  const goneStream = await events(tokens.drive);

  const before = readFileSync(file, 'utf8');
  writeFileSync(file, 'broken');
  program.child.kill('SIGHUP');
  await program.logged(/stay as they were/);
  t.equal(gone.socket.readyState, WebSocket.OPEN, 'a broken file changes nothing');

  const { file: next, tokens: newTokens } = roleTokens(t);
  const stillGood = before.split('\n').filter((line) => line.startsWith('admin'));
  writeFileSync(file, readFileSync(next, 'utf8').replace(/^admin.*$/m, stillGood[0]));
  program.child.kill('SIGHUP');
  t.match(await gone.closed, { code: 1008, reason: 'token-unknown' });
  await goneStream.ended;
  t.ok(await stays.read(0xfed00000, 8), 'who still has a token goes on');
  await t.rejects(connect(0, tokens.drive), { message: /^401/ });
  const back = await connect(0, newTokens.drive);
  await back.close();
  await stays.close();
  program.child.kill('SIGTERM');
  t.equal(await program.exited, 0);
});
