import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { coresCheck } from '../../src/doctor/cores.js';
import { stateDirCheck, tlsCheck, tokenFileCheck } from '../../src/doctor/files.js';
import { availableMemory, canReserve, memoryCheck, memoryNeeds } from '../../src/doctor/memory.js';
import { nodeCheck } from '../../src/doctor/node.js';
import { portCheck } from '../../src/doctor/port.js';
import { measureTimers, timersCheck } from '../../src/doctor/timers.js';
import { addToken } from '../../src/server/security/token-file.js';
import { FolderLock } from '../../src/server/state/folder-lock.js';
import { configuration, TestServer } from '../support/server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

t.test('Node', async (t) => {
  const status = (version: string, today = '2026-11-25') => nodeCheck(version, '>=20.19', today).status;
  t.equal(status('20.18.3'), 'fail');
  t.equal(status('18.20.8'), 'fail');
  t.equal(status('20.19.0'), 'warn', 'no more security fixes');
  t.equal(status('20.19.0', '2026-04-30'), 'ok');
  t.equal(status('22.1.0'), 'ok');
  t.equal(status('23.4.0'), 'warn', 'an odd one');
  t.equal(status('26.0.0'), 'ok');
});

t.test('cores', async (t) => {
  t.equal(coresCheck(1, 1).status, 'warn');
  t.equal(coresCheck(1.5, 1).status, 'warn', 'a quota');
  t.match(coresCheck(4, 4), { status: 'warn', advice: /vcpuThreads to 2/ });
  t.match(coresCheck(2, 2), { status: 'warn', found: /^2 for 4 threads/, advice: /Give it 4 cores/ });
  t.match(coresCheck(4, 2), { status: 'ok', found: /^4 for 4 threads/ });
});

t.test('timers', async (t) => {
  const facts = { slack: 50_000, settable: true, median: 80_000, worst: 200_000 };
  t.match(timersCheck(facts), { status: 'ok', found: /slack 50 µs.*80 µs too late, at worst 200 µs/ });
  t.equal(timersCheck({ ...facts, settable: false }).status, 'warn');
  t.equal(timersCheck({ ...facts, median: 2_000_000 }).status, 'warn');
  t.equal(timersCheck({ ...facts, worst: 50_000_000 }).status, 'warn', 'one sleep that ends 50 ms late');
  t.equal(timersCheck({ ...facts, slack: undefined, settable: false }).status, 'ok', 'elsewhere than on Linux');
  const measured = measureTimers();
  t.ok(measured.median <= measured.worst && measured.worst > 0, 'sleeps end late');
});

t.test('port', async (t) => {
  t.equal((await portCheck({ host: '127.0.0.1', port: 0 })).status, 'ok');
  t.match(await portCheck({ host: '192.0.2.1', port: 0 }), { status: 'fail', found: /192\.0\.2\.1 is no address/ });

  const server = await TestServer.start();
  t.teardown(server.stop);
  const ours = Number(new URL(server.url).port);
  t.match(await portCheck({ host: '127.0.0.1', port: ours }), { status: 'warn', found: /a Southbridge server/ });

  const other = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n{"status":"ok"}'));
  await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
  t.teardown(() => other.close());
  const { port } = other.address() as AddressInfo;
  const found = process.platform === 'linux' ? new RegExp(`in use by .*pid ${process.pid}`) : /in use by/;
  t.match(await portCheck({ host: '127.0.0.1', port }), { status: 'fail', found });
});

t.test('memory', async (t) => {
  const needs = memoryNeeds(configuration());
  t.ok(needs.configured < needs.most && needs.reserved > 0);
  t.ok(memoryNeeds(configuration({ limits: { machines: 65_536 } })).most > needs.most + 400e6, 'machines take memory');
  t.equal(memoryCheck(needs, needs.most, true).status, 'ok');
  t.equal(memoryCheck(needs, needs.most - 1, true).status, 'warn');
  t.equal(memoryCheck(needs, needs.configured - 1, true).status, 'fail');
  t.match(memoryCheck(needs, needs.most, false), { status: 'fail', advice: /ulimit -v/ });
  t.ok(availableMemory() > 0);
  t.equal(canReserve(4096), true);
  t.equal(canReserve(2 ** 53), false);
});

t.test('files', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'tokens');
  t.same(await stateDirCheck(configuration()), []);
  t.match(await stateDirCheck(configuration({ stateDir: folder })), [{ status: 'ok', found: /MiB free/ }]);
  const lock = await FolderLock.take(folder);
  t.match(await stateDirCheck(configuration({ stateDir: folder })), [{ status: 'warn', found: /in use by process/ }]);
  await lock.release();
  t.match(await stateDirCheck(configuration({ stateDir: join(folder, 'new', 'one') })), [
    { status: 'ok', found: /will make/ },
  ]);

  t.equal(tokenFileCheck(configuration()).status, 'ok');
  t.equal(tokenFileCheck(configuration({ host: '0.0.0.0', insecure: true })).status, 'warn');
  const withTokens = configuration({ tokenFile: file });
  t.match(tokenFileCheck(withTokens), { status: 'fail', found: /cannot be used/ });
  writeFileSync(file, '');
  t.match(tokenFileCheck(withTokens), { status: 'warn', found: /^0 in/ });
  addToken(file, 'me', 'drive');
  chmodSync(file, 0o600);
  t.match(tokenFileCheck(withTokens), { status: 'ok', found: /^1 in/ });
  chmodSync(file, 0o644);
  t.match(tokenFileCheck(withTokens), { status: 'warn', advice: /chmod o-r/ });
  chmodSync(file, 0o666);
  t.match(tokenFileCheck(withTokens), { status: 'fail', found: /chmod go-w/ });
  t.match(await stateDirCheck(configuration({ stateDir: file })), [{ status: 'fail', found: /no folder/ }]);
  mkdirSync(join(folder, 'closed'), { mode: 0o500 });
  t.test('a folder that is closed', { skip: process.getuid?.() === 0 && 'root may write anywhere' }, async (t) => {
    t.match(await stateDirCheck(configuration({ stateDir: join(folder, 'closed') })), [{ status: 'fail' }]);
  });
  t.same(tlsCheck(configuration(), Date.now()), []);
  const tls = { certFile: file, keyFile: file };
  t.match(tlsCheck(configuration({ tls }), Date.now()), [{ status: 'fail' }]);
});
