import { Document, isMap, isScalar, isSeq } from 'yaml';
import { type KeyPath, pathName } from '../schema/keys.js';
import { type Origin, originText, partsOf, type Settings } from './settings.js';
import type { Loaded } from './sources.js';

/** The configuration as YAML that a file may hold, with a comment after each value that says where it came from. */
export function configurationText({ configuration, settings }: Loaded): string {
  const document = new Document(configuration, { aliasDuplicateObjects: false });
  annotate(document.contents, [], settings);
  // The library puts the comment of an empty list or object, and the brackets, on lines of their own.
  return document.toString({ lineWidth: 0 }).replace(/:\n +(\[\]|\{\})\n +(#.*)$/gm, ': $1 $2');
}

/** The same for programs, with each value's origin by its key. */
export function configurationJson({ configuration, settings }: Loaded): string {
  const sources: { [key: string]: Origin } = {};
  const walk = (value: unknown, path: KeyPath): void => {
    const parts = partsOf(value);
    if (parts.length === 0) sources[pathName(path)] = settings.originOf(path);
    for (const [key, part] of parts) walk(part, [...path, key]);
  };
  walk(configuration, []);
  return `${JSON.stringify({ configuration, sources }, null, 2)}\n`;
}

function annotate(node: unknown, path: KeyPath, settings: Settings): void {
  if (isMap(node) && node.items.length > 0) {
    for (const pair of node.items) annotate(pair.value, [...path, String(pair.key)], settings);
  } else if (isSeq(node) && node.items.length > 0) {
    node.items.forEach((item, index) => {
      annotate(item, [...path, index], settings);
    });
  } else if (isMap(node) || isSeq(node) || isScalar(node)) {
    node.comment = ` ${originText(settings.originOf(path))}`;
  }
}
