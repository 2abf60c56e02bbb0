/** A string, with the colon behind it if it is a key, or a brace. */
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g;

/**
 * The first key that stands twice in one object of a JSON text, or undefined. `JSON.parse`, which must have taken the
 * text before, would drop all but the last.
 */
export function duplicateKey(text: string): string | undefined {
  const objects: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{') objects.push(new Set());
    else if (token === '}') objects.pop();
    else if (colon) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      const keys = objects.at(-1) as Set<string>;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}
