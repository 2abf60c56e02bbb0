import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadDesign } from '../core/locking/own-design.js';
import type { NamedDesign } from '../core/locking/presets.js';
import { allowDesign } from './machine.js';
import { designModule, type Sources } from './sources.js';

/** Loads the module at a path, and lets machines have its design. Throws a SouthbridgeError if it cannot be used. */
export async function loadOwnDesign(path: string): Promise<NamedDesign> {
  const named = await loadDesign(pathToFileURL(resolve(path)).href);
  allowDesign(named);
  return named;
}

/** The same with the module that the key `design` names, if it names one. Before the configuration is loaded. */
export async function loadConfiguredDesign(sources: Sources): Promise<void> {
  const path = designModule(sources);
  if (path !== '') await loadOwnDesign(path);
}
