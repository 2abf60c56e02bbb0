import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Observer } from '../../../src/lab/replay/runner.js';

export const VECTORS = fileURLToPath(new URL('../../../../test/vectors', import.meta.url));
export const GUEST_VECTORS = join(VECTORS, 'guest');

const jsonl = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => ({ file: join(folder, name), named: true }));

export const GOLDEN = jsonl(VECTORS);
export const PIC = jsonl(join(VECTORS, 'pic'));
export const GUEST = jsonl(GUEST_VECTORS);

/** The lines of a golden trace. */
export function linesOf(name: string): string[] {
  return readFileSync(join(VECTORS, `${name}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n');
}

/** Golden traces that meet none of the quirks. */
export const PLAIN = GOLDEN.filter(({ file }) => {
  const [header] = readFileSync(file, 'utf8').split('\n', 1);
  return JSON.parse(header).quirks.length === 0;
});

/** A folder of its own for a test's files. */
export class Scratch {
  readonly folder = mkdtempSync(join(tmpdir(), 'southbridge-replay-'));

  write(name: string, lines: readonly string[]): string {
    const file = join(this.folder, name);
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
    return file;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

export const SILENT: Observer = { started() {}, stepped() {}, finished() {}, skipped() {} };
