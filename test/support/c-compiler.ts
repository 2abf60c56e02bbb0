import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const STRICT = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-Wpedantic', '-O1', '-g'];

/** Builds a C source of this repository with the client for C; throws what the compiler said. */
export function compile(output: string, source: string): string {
  const files = [source, 'clients/c/southbridge.c'].map((file) => join(root, file));
  const { status, stderr } = spawnSync('cc', [...STRICT, `-I${join(root, 'clients/c')}`, '-o', output, ...files]);
  if (status !== 0) throw new Error(String(stderr));
  return output;
}
