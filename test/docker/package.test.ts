import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { TestServer } from '../support/server.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tier } from '../support/tier.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const skip = !tier.triesDelivery && 'not in this tier';
/** Without the test runner's modules, which are loaded into every process that a test starts. */
const { NODE_OPTIONS: _, NODE_ENV: __, ...env } = process.env;

/** What a user of both clients writes first. */
const CLIENT = `
  import { Southbridge } from 'southbridge/client';
  import { SyncVcpu } from 'southbridge/client/sync';
  const vcpu = await new Southbridge(process.argv[2]).vcpu('default', 0);
  console.log(typeof SyncVcpu, String(await vcpu.read(0xfed00004, 4)));
  vcpu.close();
`;

t.test('the packed package, installed elsewhere, has its command and its clients', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], env });
  run('npm', 'pack', root, '--silent');
  const [tarball] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const options = ['--omit=dev', '--prefer-offline', '--no-audit', '--no-fund'];
  const { status, stderr } = spawnSync('npm', ['install', `./${tarball}`, ...options], {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
  t.equal(status, 0, stderr);
  t.notMatch(stderr, /EBADENGINE/);
  t.ok(existsSync(join(folder, 'node_modules/southbridge/npm-shrinkwrap.json')), 'with the versions that were tested');
  t.notOk(existsSync(join(root, 'npm-shrinkwrap.json')), 'made for the package only');

  t.match(run('npx', '--no-install', 'southbridge', 'serve', '--print-config'), /^port: 8080/m);

  const command = join(folder, 'node_modules/.bin/southbridge');
  const server = spawn(command, ['serve', '--port', '0'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], env });
  const exited = once(server, 'exit');
  t.teardown(() => server.kill('SIGKILL'));
  let url: string | undefined;
  for await (const line of createInterface({ input: server.stdout })) {
    url = /listens on (http\S+)/.exec(line)?.[1];
    if (url) break;
  }
  writeFileSync(join(folder, 'client.mjs'), CLIENT);
  t.equal(run(process.execPath, 'client.mjs', String(url)), `function ${10_000_000}\n`, "the main counter's period");
  server.kill('SIGTERM');
  t.match(await exited, [0]);
});

/** What a user of the client alone writes: both clients, without any other package. */
const CLIENT_ALONE = `
  import { Southbridge } from 'southbridge-client';
  import { SyncVcpu } from 'southbridge-client/sync';
  const vcpu = await new Southbridge(process.argv[2]).vcpu('default', 0);
  console.log(String(await vcpu.read(0xfed00004, 4)));
  vcpu.close();
  const blocking = SyncVcpu.connect(process.argv[2], 'default', 1);
  console.log(String(blocking.read(0xfed00004, 4)));
  blocking.close();
`;

t.test('the packed client, installed elsewhere without a network, has no dependency', async (t) => {
  const folder = temporaryFolder(t);
  const server = await TestServer.start();
  t.teardown(server.stop);
  const run = async (command: string, ...args: string[]) =>
    (await promisify(execFile)(command, args, { cwd: folder, encoding: 'utf8', env })).stdout;
  const tarball = (await run(process.execPath, join(root, 'packaging/pack-client.mjs'), folder)).trim();
  t.match(tarball, /^southbridge-client-.*\.tgz$/);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  await run('npm', 'install', `./${tarball}`, '--offline', '--no-audit', '--no-fund', '--silent');
  t.same(
    readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.')),
    ['southbridge-client'],
  );
  const installed = join(folder, 'node_modules/southbridge-client');
  for (const file of ['client/index.d.ts', 'client/sync/index.d.ts', 'protocol/server-message.d.ts', 'LICENSE'])
    t.ok(existsSync(join(installed, file)), file);
  t.same(readFileSync(join(installed, 'client/vcpu.js')), readFileSync(join(root, 'dist/src/client/vcpu.js')));
  writeFileSync(join(folder, 'client.mjs'), CLIENT_ALONE);
  t.equal(await run(process.execPath, 'client.mjs', server.url), '10000000\n10000000\n');
});
