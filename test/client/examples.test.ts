import { spawn, spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { compile } from '../support/c-compiler.js';
import { TestServer } from '../support/server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const example = (name: string) => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));

/** What it prints, beside the server in this process. */
async function output(command: readonly string[], url: string): Promise<string> {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', ...command, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  return text(child.stdout);
}

const TICKS = 5;

const server = await TestServer.start();
t.teardown(server.stop);

/** Why what needs this command is skipped, or false. */
function without(command: string): string | false {
  return spawnSync(command, ['--version']).status !== 0 && `there is no ${basename(command)} here`;
}

for (const [command, file, pattern] of [
  [process.execPath, 'emulator-loop.mjs', /^tick \d: main counter \d+$/],
  [process.execPath, 'emulator-loop-sync.mjs', /^tick \d: vector 0x40, main counter \d+$/],
  ['python3', 'emulator_loop.py', /^tick \d: vector 0x41, main counter \d+$/],
  ['cc', 'kvm_loop.c', /^tick \d: vector 0x42, main counter \d+$/],
] as const) {
  t.test(`${file} sees its interrupts`, { skip: without(command) }, async (t) => {
    const program =
      command === 'cc' ? [compile(join(temporaryFolder(t), 'kvm_loop'), `examples/${file}`)] : [command, example(file)];
    const lines = (await output(program, server.url)).trim().split('\n');
    t.equal(lines.length, TICKS);
    for (const line of lines) t.match(line, pattern);
  });
}

t.test('importing the client for Python runs nothing', { skip: without('python3') }, async (t) => {
  const script = 'import sys; sys.path.insert(0, sys.argv[1]); import southbridge; print(southbridge.__all__)';
  const { stdout } = spawnSync('python3', ['-c', script, join(example('..'), 'clients/python')]);
  t.match(String(stdout), /^\[.*'Vcpu'\]\n$/);
});
