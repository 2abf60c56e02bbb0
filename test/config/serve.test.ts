import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { CLI, Program, southbridge } from '../support/program.js';

async function started(t: Test, ...args: string[]): Promise<{ server: Program; lines: string[]; url: string }> {
  const server = new Program([CLI, 'serve', '--port', '0', '--log-level', 'error', ...args]);
  t.teardown(() => server.child.kill('SIGKILL'));
  const lines: string[] = [];
  for (let line = await server.line(); line !== undefined; line = await server.line()) {
    lines.push(line);
    if (/ replay /.test(line)) break;
  }
  const [, url] = /^Southbridge listens on (http:\S+)$/.exec(lines[0]) ?? [];
  return { server, lines, url };
}

const SIGNALS = new URL('../../src/cli/signals.js', import.meta.url);

t.test('what serve prints works when it is copied', async (t) => {
  const { server, lines, url } = await started(t);

  t.equal(lines[1], `  curl ${url}/v1/machines/default/hpet`);
  const answer = await fetch(lines[1].trim().slice('curl '.length));
  t.equal(answer.status, 200);
  t.type(await answer.json(), Object);

  const shell = async (line: string) =>
    (await promisify(execFile)('/bin/sh', ['-c', line], { env: { PATH: process.env.PATH } })).stdout;
  t.match(lines[2], `southbridge poke read 0x`);
  t.match(await shell(lines[2].trim()), /^0x[0-9a-f]{16}$/m);

  const replay = lines[3].trim();
  t.match(replay, `southbridge replay --url ${url} `);
  t.match(await shell(replay.replace(/vectors$/, 'vectors/hpet_legacy.jsonl')), '1 passed, 0 failed');

  server.child.kill('SIGTERM');
  t.equal(await server.exited, 0);
});

t.test('a server without machines tells how to make one', async (t) => {
  const { server, lines, url } = await started(t, '--set', 'machines=[]');
  t.equal(lines[1], `  curl -H 'content-type: application/json' -d '{"name":"vm-1"}' ${url}/v1/machines`);
  const answer = await fetch(`${url}/v1/machines`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"vm-1"}',
  });
  t.equal(answer.status, 201);
  server.child.kill('SIGINT');
  t.equal(await server.exited, 0);
});

t.test('a port in use', async (t) => {
  const { server, url } = await started(t);
  const { port } = new URL(url);
  const { status, stderr } = southbridge(['serve', '--port', port, '--log-level', 'silent']);
  t.equal(status, 1);
  t.match(stderr, `Port ${port} on 127.0.0.1 is in use; choose another with --port, or --port 0 for any free port.`);
  server.child.kill('SIGTERM');
  t.equal(await server.exited, 0);
});

t.test('an address of another computer', async (t) => {
  const { status, stderr } = southbridge([
    'serve',
    '--host',
    '203.0.113.1',
    '--insecure',
    '--port',
    '0',
    '--log-level',
    'silent',
  ]);
  t.equal(status, 1);
  t.match(stderr, 'The address 203.0.113.1 does not belong to this host; choose another with --host.');
});

t.test('the first signal closes once, the second ends at once', async (t) => {
  const program = new Program([
    '--input-type=module',
    '--eval',
    `import { closeOnSignals } from ${JSON.stringify(SIGNALS)};
     closeOnSignals(() => new Promise(() => console.log('closing')));
     setInterval(() => {}, 60_000);
     console.log('ready');`,
  ]);
  t.teardown(() => program.child.kill('SIGKILL'));
  t.equal(await program.line(), 'ready');
  program.child.kill('SIGTERM');
  t.equal(await program.line(), 'closing');
  program.child.kill('SIGINT');
  t.equal(await program.exited, 130);
  t.equal(await program.line(), undefined, 'closed once');
});
