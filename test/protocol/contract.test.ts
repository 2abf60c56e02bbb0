import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parse } from 'yaml';
import { temporaryFolder } from '../support/temporary-folder.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PROTO = join(ROOT, 'proto');
const BINARIES = join(ROOT, 'node_modules', '.bin');

function buf(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(join(BINARIES, 'buf'), args, { cwd: PROTO, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

t.test('the contract passes its lint, comments included', async (t) => {
  t.strictSame(buf('lint'), { status: 0, output: '' });
  t.strictSame(buf('format', '--diff', '--exit-code'), { status: 0, output: '' });
});

t.test('nothing of the contract is broken that clients rely on', async (t) => {
  // What was promised: proto/promised.binpb, made by `npm run proto:promise` when the contract has grown.
  t.strictSame(buf('breaking', '--against', 'promised.binpb'), { status: 0, output: '' });
});

t.test('the generated code is that of the contract', async (t) => {
  const folder = temporaryFolder(t);
  const template = parse(readFileSync(join(PROTO, 'buf.gen.yaml'), 'utf8'));
  const plugins = template.plugins.map((plugin: object) => ({ ...plugin, out: 'gen' }));
  const generated = buf('generate', '--template', JSON.stringify({ ...template, plugins }), '--output', folder);
  t.strictSame(generated, { status: 0, output: '' });
  const files = (...roots: string[]) =>
    roots
      .flatMap((root) =>
        readdirSync(join(root, 'southbridge', 'v1')).map((name) => join(root, 'southbridge', 'v1', name)),
      )
      .map((file) => [basename(file), readFileSync(file, 'utf8')]);
  const made = files(join(folder, 'gen'));
  t.equal(made.length, 4, 'the table of fields, and the messages of a library for each file');
  const kept = files(join(ROOT, 'src', 'protocol', 'gen'), join(ROOT, 'test', 'protocol', 'gen'));
  t.strictSame(Object.fromEntries(kept), Object.fromEntries(made));
});
