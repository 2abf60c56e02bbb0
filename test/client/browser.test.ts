import { readFileSync } from 'node:fs';
import t from 'tap';

const entry = new URL('../../src/client/index.js', import.meta.url);

/** Without comments. */
function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/ .*$/gm, '');
}

function importsOf(code: string): string[] {
  return [...code.matchAll(/(?:\bfrom|\bimport|\bimport\() ?['"]([^'"]+)['"]/g)].map(([, name]) => name);
}

/** Every module that the entry leads to, as a bundler finds them; and what they import that is no file of this package. */
function modules(): { files: Map<string, string>; foreign: string[] } {
  const files = new Map<string, string>();
  const foreign: string[] = [];
  const waiting = [entry];
  for (let url = waiting.pop(); url; url = waiting.pop()) {
    if (files.has(url.pathname)) continue;
    const text = codeOf(readFileSync(url, 'utf8'));
    files.set(url.pathname, text);
    for (const name of importsOf(text)) {
      if (name.startsWith('.')) waiting.push(new URL(name, url));
      else foreign.push(`${url.pathname}: ${name}`);
    }
  }
  return { files, foreign };
}

t.test('the promise client is made of its own files, and of what browsers have', async (t) => {
  const { files, foreign } = modules();
  t.ok(files.size > 10, `${files.size} modules`);
  t.same(foreign, [], 'no package, and nothing of Node');
  for (const [file, code] of files) {
    // What is asked for by typeof first may be missing.
    const known = ['process', 'Buffer', 'require', 'setImmediate', 'global'].filter(
      (name) => !code.includes(`typeof ${name} `),
    );
    t.notMatch(code, new RegExp(`(?<![.\\w])(?:${known.join('|')})\\s*[.(]`), file);
  }
});

t.test('what finds files finds something to find', async (t) => {
  const text = "// from 'x'\nimport { a } from './a.js';\nimport 'b';\nconst c = await import('node:c');";
  const found = importsOf(codeOf(text));
  t.same(found, ['./a.js', 'b', 'node:c']);
});
