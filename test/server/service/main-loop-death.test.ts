import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { VcpuClient } from '../../support/vcpu-client.js';

const CLI = fileURLToPath(new URL('../../../src/cli.js', import.meta.url));
const END = new URL('../../support/main-loop-end.js', import.meta.url).href;

t.test('a server whose main loop dies tells its clients and exits with status 70', async (t) => {
  const child = spawn(process.execPath, ['--import', END, CLI, 'serve', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const found = /http:\/\/[\w.:]+/.exec(text)?.[0];
      if (found) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${errors}`)));
  });
  const client = await VcpuClient.connect(`${url.replace('http', 'ws')}/v1/machines/default/vcpus/0`);
  child.kill('SIGUSR2');
  t.same(await client.closed, { code: 1011, reason: 'server-failed' }, 'every client gets the close code');
  t.same(await ended, { code: 70, signal: null });
  t.match(errors, /main loop has ended .*Exit status 70/);
});
