import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const dist = fileURLToPath(new URL('../../../src/', import.meta.url));

/** Built files of a folder, without their comments. */
function built(folder: string): { file: string; code: string }[] {
  return readdirSync(join(dist, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js'))
    .map((file) => ({ file, code: readFileSync(join(dist, folder, file), 'utf8') }))
    .map(({ file, code }) => ({ file, code: code.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '') }));
}

for (const folder of ['core/devices', 'core/locking']) {
  t.test(`${folder}: the seam is the only way out of the built files`, async (t) => {
    const files = built(folder);
    t.ok(files.length > 5);
    for (const { file, code } of files)
      t.notMatch(code, /\b(Atomics|SharedArrayBuffer|process|globalThis|require)\b|worker_threads|Worker\b/, file);
  });
}

/** SharedState are claimed as the module is loaded, and never again. */
const CLAIMS_ONCE = 'memory/statistics-layout.js';

/** Designs from modules are registered before any machine exists, and never again. */
const REGISTRIES = ['locking/own-design.js', 'locking/presets.js'];

for (const folder of ['core', 'runtime']) {
  t.test(`${folder}: no module keeps state of its own, which would outlast a run`, async (t) => {
    for (const { file, code } of built(folder)) {
      if (file === CLAIMS_ONCE || REGISTRIES.includes(file)) continue;
      t.notMatch(code, /^(export )?(let|var) /m, file);
      t.notMatch(code, /^(export )?const \w+ = (\[\]|\{\}|new (Map|Set|WeakMap|WeakSet)\(\));/m, file);
    }
  });
}
