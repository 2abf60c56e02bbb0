import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { TestServer } from '../support/server.js';

const example = (name: string) => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));

/** What it prints, beside the server in this process. */
async function output(command: string, file: string, url: string): Promise<string> {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', command, file, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  return text(child.stdout);
}

const TICKS = 5;

t.test('each example sees its interrupts', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  for (const [command, file, pattern] of [
    [process.execPath, 'emulator-loop.mjs', /^tick \d: main counter \d+$/],
    [process.execPath, 'emulator-loop-sync.mjs', /^tick \d: vector 0x40, main counter \d+$/],
    ['python3', 'emulator_loop.py', /^tick \d: vector 0x41, main counter \d+$/],
  ] as const) {
    if (spawnSync(command, ['--version']).status !== 0) {
      t.pass(`${file} is skipped: there is no ${command} here`, { skip: true });
      continue;
    }
    const lines = (await output(command, example(file), server.url)).trim().split('\n');
    t.equal(lines.length, TICKS, file);
    for (const line of lines) t.match(line, pattern);
  }
});
