import { SouthbridgeError } from '../../errors.js';

/** A string, with the colon behind it if it is a key, or a brace or bracket. */
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;

/** Deeper than anything that this server reads. */
const DEEPEST = 32;

/**
 * The first key that stands twice in one object of a JSON text, or undefined. `JSON.parse`, which must have taken the
 * text before, would drop all but the last. Throws `too-deep`.
 */
export function duplicateKey(text: string): string | undefined {
  /** Keys of the objects around, and undefined for each list. */
  const around: (Set<string> | undefined)[] = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      if (around.length === DEEPEST) throw new SouthbridgeError('too-deep', { limit: DEEPEST });
      around.push(token === '{' ? new Set() : undefined);
    } else if (token === '}' || token === ']') around.pop();
    else if (colon) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      const keys = around.at(-1) as Set<string>;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}
