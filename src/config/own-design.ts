import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadDesign } from '../core/locking/own-design.js';
import type { NamedDesign } from '../core/locking/presets.js';
import { allowDesign } from './machine.js';

/** Loads the module at a path, and lets machines have its design. Throws a SouthbridgeError if it cannot be used. */
export async function loadOwnDesign(path: string): Promise<NamedDesign> {
  const named = await loadDesign(pathToFileURL(resolve(path)).href);
  allowDesign(named);
  return named;
}
