import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { LineCounter, Node } from 'yaml';
import { ConfigurationError, SouthbridgeError } from '../errors.js';
import type { KeyPath } from '../schema/keys.js';

import { isObject, type Origin } from './settings.js';

const require = createRequire(import.meta.url);
let library: typeof import('yaml') | undefined;

/** The YAML library, loaded on first use: most servers have no configuration file. */
export function yaml(): typeof import('yaml') {
  library ??= require('yaml') as typeof import('yaml');
  return library;
}

/** What a configuration file holds, and on which line. */
export interface ConfigurationFile {
  readonly value: unknown;
  originOf(path: KeyPath): Origin;
}

/**
 * Reads JSON (if the name ends in .json) or YAML. A key that is given twice, which JSON.parse drops without a word, is
 * refused in both. Throws a ConfigurationError.
 */
export function readConfigurationFile(file: string): ConfigurationFile {
  const refuse = (reason: string) =>
    new ConfigurationError([
      new SouthbridgeError('config-unreadable', { file, reason: reason.split('\n')[0].replace(/[.:]\s*$/, '') }),
    ]);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
    if (file.endsWith('.json')) JSON.parse(text);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  const { LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) throw refuse(problem.message);
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    throw refuse((error as Error).message);
  }
  value ??= {};
  if (!isObject(value)) throw refuse('it must hold an object with keys such as host and machines');
  return {
    value,
    originOf: (path) => ({ kind: 'file', file, line: lineOf(document.contents, path, lines) }),
  };
}

/** The line of the key at a path; inside an alias, that of the alias. */
function lineOf(contents: Node | null, path: KeyPath, lines: LineCounter): number {
  const { isMap, isNode } = yaml();
  let node: unknown = contents;
  let offset = contents?.range?.[0] ?? 0;
  for (const part of path) {
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => String(item.key) === String(part));
      if (isNode(pair?.key)) offset = pair.key.range?.[0] ?? offset;
      next = pair?.value;
    } else if (isNode(node) && 'items' in node && typeof part === 'number') {
      next = (node.items as unknown[])[part];
      if (isNode(next)) offset = next.range?.[0] ?? offset;
    }
    if (next === undefined || next === null) break;
    node = next;
  }
  return Math.max(1, lines.linePos(offset).line);
}
