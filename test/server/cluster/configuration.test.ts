import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfiguration } from '../../../src/config/sources.js';
import type { ConfigurationError } from '../../../src/errors.js';
import { CLI, Program } from '../../support/program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const servers = ['nats://127.0.0.1:1'];

t.test('what a node of a cluster needs is asked for by key', async (t) => {
  const file = join(temporaryFolder(t), 'config.json');
  /** What is wrong, by key. */
  const check = (cluster: unknown, rest = {}): string[] => {
    writeFileSync(file, JSON.stringify({ cluster, ...rest }));
    try {
      loadConfiguration({ file });
      return [];
    } catch (error) {
      return (error as ConfigurationError).errors.map(({ details }) => String(details.key));
    }
  };
  const complete = { servers, node: 'a', address: 'http://127.0.0.1:8080' };
  t.strictSame(check(complete), []);
  t.strictSame(check({ node: 'a' }), [], 'alone');
  t.strictSame(check({ ...complete, node: undefined }), ['cluster.node']);
  t.strictSame(check({ servers }), ['cluster.node', 'cluster.address']);
  t.strictSame(check(complete, { stateDir: '/tmp/x' }), ['stateDir']);
  t.strictSame(check({ ...complete, servers: ['nats://user:secret@127.0.0.1'] }), ['cluster.servers.0']);
  t.strictSame(check({ ...complete, node: 'a.b' }), ['cluster.node']);
});

t.test('a node that reaches no NATS server ends with a coded error', async (t) => {
  const file = join(temporaryFolder(t), 'config.json');
  const start = (cluster: object) => {
    writeFileSync(file, JSON.stringify({ port: 0, cluster: { servers, node: 'a', address: 'http://a', ...cluster } }));
    return new Program([CLI, 'serve', '--config', file]);
  };
  const unreachable = start({});
  t.equal(await unreachable.exited, 1);
  t.match(unreachable.stderr, /^[^\n]*No NATS server of the cluster \(nats:\/\/127\.0\.0\.1:1\) can be used[^\n]*\n$/);
  const unreadable = start({ credentialsFile: '/nowhere/node.creds' });
  t.equal(await unreadable.exited, 1);
  t.match(unreadable.stderr, /^[^\n]*\/nowhere\/node\.creds[^\n]*cluster\.credentialsFile[^\n]*\n$/);
});

t.test('a server that is alone loads nothing of the cluster', async (t) => {
  const loaded = `
    const { startServer } = await import('./src/server/boot.js');
    const { loadConfiguration } = await import('./src/config/sources.js');
    const { configuration } = loadConfiguration({ flags: [{ key: 'port', text: '0', flag: '--port' }] });
    configuration.logLevel = 'silent';
    const server = await startServer(configuration);
    const { createRequire } = await import('node:module');
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((name) => name.includes('@nats-io'));
    const alone = loaded();
    await server.close();
    await import('./src/server/cluster/open-cluster.js');
    console.log(alone, loaded());
    process.exit();
  `;
  const program = new Program([
    '--input-type=module',
    '-e',
    loaded.replaceAll('./src/', `${new URL('../../../src/', import.meta.url)}`),
  ]);
  t.equal(await program.line(), 'false true', 'before and after it is imported');
  t.equal(await program.exited, 0, program.stderr);
});
