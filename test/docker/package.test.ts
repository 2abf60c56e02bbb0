import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
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
  const registry = await registryWith(t, join(folder, tarball));
  const options = ['--omit=dev', '--prefer-offline', '--no-audit', '--no-fund', '--registry', registry];
  const { status, stderr } = await installed(folder, ['southbridge', ...options]);
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

/**
 * A registry that has the packed package, and refers to the usual one for all others: npm reads a npm-shrinkwrap.json only
 * where the registry says that there is one, as every registry does, and not of a file.
 */
async function registryWith(t: Test, tarball: string): Promise<string> {
  const usual = execFileSync('npm', ['config', 'get', 'registry'], { cwd: root, encoding: 'utf8', env }).trim();
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const contents = readFileSync(tarball);
  const server = createServer((request, response) => {
    const base = `http://${request.headers.host}`;
    if (request.url === '/southbridge') {
      const integrity = `sha512-${createHash('sha512').update(contents).digest('base64')}`;
      const version = { ...manifest, _hasShrinkwrap: true, dist: { tarball: `${base}/southbridge.tgz`, integrity } };
      const versions = { [manifest.version]: version };
      response.end(JSON.stringify({ name: 'southbridge', 'dist-tags': { latest: manifest.version }, versions }));
    } else if (request.url === '/southbridge.tgz') response.end(contents);
    else response.writeHead(307, { location: new URL(`.${request.url}`, usual).href }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function installed(folder: string, args: readonly string[]) {
  const npm = spawn('npm', ['install', ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env });
  const [stderr, [status]] = await Promise.all([text(npm.stderr), once(npm, 'close')]);
  return { status, stderr };
}

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
  const tarball = (await run(process.execPath, join(root, 'clients/javascript/pack-client.mjs'), folder)).trim();
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
