import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const dist = fileURLToPath(new URL('../../src/', import.meta.url));

for (const folder of ['devices', 'locking']) {
  t.test(`${folder}: the seam is the only way out of the built files`, async (t) => {
    const files = readdirSync(join(dist, folder), { recursive: true, encoding: 'utf8' }).filter((f) =>
      f.endsWith('.js'),
    );
    t.ok(files.length > 5);
    for (const file of files) {
      const code = readFileSync(join(dist, folder, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      t.notMatch(code, /\b(Atomics|SharedArrayBuffer|process|globalThis|require)\b|worker_threads|Worker\b/, file);
      t.notMatch(code, /^(let|var) /m, `${file} keeps no state of its own`);
    }
  });
}
