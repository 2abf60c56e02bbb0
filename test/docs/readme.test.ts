import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { textOf } from '../support/command-lines.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tier } from '../support/tier.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const PORT = 8080;

/** Lines that must not appear: warnings, errors, stack traces, and the log's lines above `info`. */
const UNEXPECTED = /\b(warn|warning|deprecated|error|fatal|not found|failed)\b|^ +at .*[(:]\d+|"level":[456]0/i;
/** What is wrong with this host and not with the product, so that `doctor` reports it. */
const OF_THE_HOST = /^(warn|fail) +(Node|cores|timers|memory|port)\b/;

/** What a new user sees at the end of a block, by what is in it. The first that fits counts. */
const BLOCKS: readonly {
  readonly has: RegExp;
  readonly sees?: RegExp;
  readonly serves?: true;
}[] = [
  { has: /^npm ci/, sees: /^Go on$/m },
  { has: /^npm start/, serves: true },
  { has: /poke read/, sees: /^0x[0-9a-f]{16}\n\{\n.*vector: 64,.*\n\}\n$/s },
  { has: /southbridge compare/, sees: /What carries over/ },
  { has: /southbridge doctor/, sees: /default\.trace\.json/ },
];

/** Pastes a block into a shell of its own, in a new clone. */
function paste(block: string, cwd: string): { child: ChildProcessByStdio<null, Readable, Readable>; output(): string } {
  const { PATH, HOME } = process.env;
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => /^npm_config_(registry|cache)$/i.test(name)),
  );
  const options = { cwd, detached: true, env: { ...env, PATH, HOME } } as const;
  const child = spawn('bash', ['-c', block], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  return { child, output: () => output };
}

function unexpectedIn(output: string): string[] {
  const lines = output.replace(/\b0 failed\b/g, '').split('\n');
  return lines.filter((line) => UNEXPECTED.test(line) && !OF_THE_HOST.test(line));
}

/** A copy of all files that git tracks or would track. */
function cloneInto(folder: string): void {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  for (const file of files.split('\n').filter((file) => file !== '' && existsSync(join(root, file)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(join(root, file), join(folder, file));
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

async function reasonToSkip(): Promise<string | false> {
  if (!tier.pastesReadme) return 'only in the long tier: it takes minutes';
  if (!existsSync(join(root, '.git'))) return 'this is not a clone';
  return (await isFree(PORT)) ? false : `port ${PORT} is in use`;
}

t.setTimeout(600_000);

const skip = await reasonToSkip();
t.test('a new user pastes the README block by block, and sees no unexpected line', { skip }, async (t) => {
  const clone = temporaryFolder(t);
  cloneInto(clone);
  const blocks = [...textOf('README.md').matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block);
  t.ok(blocks.length > 3);
  let server: ReturnType<typeof paste> | undefined;
  t.teardown(() => server && process.kill(-Number(server.child.pid), 'SIGKILL'));
  const begin = Date.now();
  for (const block of blocks) {
    const { sees, serves } = BLOCKS.find(({ has }) => has.test(block)) ?? {};
    const pasted = paste(block, clone);
    const [first] = block.split('\n');
    if (serves) {
      const ended = once(pasted.child, 'close').then(() => Promise.reject(new Error(pasted.output())));
      ended.catch(() => {});
      while (!/^Southbridge listens on/m.test(pasted.output())) {
        await Promise.race([once(pasted.child.stdout, 'data'), ended]);
      }
      server = pasted;
    } else {
      const [code] = await once(pasted.child, 'close');
      t.equal(code, 0, first);
      t.same(unexpectedIn(pasted.output()), [], first);
      if (sees) t.match(pasted.output(), sees, first);
    }
    t.comment(`${first}: ${((Date.now() - begin) / 1000).toFixed(1)} s after the start`);
  }
  if (!server) throw new Error('no block of the README starts a server');
  process.kill(-Number(server.child.pid), 'SIGINT');
  await once(server.child, 'close');
  t.same(unexpectedIn(server.output()), [], 'the server');
  server = undefined;
});
