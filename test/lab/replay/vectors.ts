import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROFILES, type Profile, QUIRK_NAMES, type Quirk } from '../../../src/core/devices/quirks.js';
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

/** Quirks that change a golden trace, by its name: `golden.test.ts` computes them from replays with each on and off. */
export const MET_QUIRKS: { readonly [trace: string]: readonly string[] } = JSON.parse(
  readFileSync(new URL('../../../../test/lab/replay/met-quirks.json', import.meta.url), 'utf8'),
);

/** Golden traces that a profile replays: they meet no quirk in which it differs from QEMU. */
export function goldenOf(profile: Profile): typeof GOLDEN {
  const has = (name: Profile, quirk: Quirk) => (PROFILES[name] as readonly Quirk[]).includes(quirk);
  const different = QUIRK_NAMES.filter((quirk) => has(profile, quirk) !== has('qemu-11.1', quirk));
  return GOLDEN.filter(({ file }) => {
    const met = MET_QUIRKS[basename(file, '.jsonl')] ?? [];
    return !different.some((quirk) => met.includes(quirk));
  });
}

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
