import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Loaded, loadConfiguration, type Sources } from '../../src/config/sources.js';
import type { SouthbridgeError } from '../../src/errors.js';
import { ConfigurationError } from '../../src/errors.js';

/** A configuration file of its own folder, which `remove` takes away. */
export function temporaryFile(name: string, text: string): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'southbridge-config-'));
  const path = join(folder, name);
  writeFileSync(path, text);
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}

/** Loads with the text as the configuration file; the file's folder does not appear in origins or errors. */
export function loadText(text: string, sources: Omit<Sources, 'file'> = {}, name = 'sb.yaml'): Loaded {
  const file = temporaryFile(name, text);
  try {
    return loadConfiguration({ ...sources, file: file.path });
  } finally {
    file.remove();
  }
}

/** What loading is refused with. */
export function refusals(load: () => unknown): readonly SouthbridgeError[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.errors;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

/** `--set key=text` */
export function set(key: string, text: string) {
  return { key, text, flag: `--set ${key}` };
}
