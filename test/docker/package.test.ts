import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
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
  run('npm', 'pack', root, '--ignore-scripts', '--silent');
  const [tarball] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  run('npm', 'install', `./${tarball}`, '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund', '--silent');

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
