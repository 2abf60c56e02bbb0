import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { ROOT } from './source.js';

/** A reason in an assertion that passes, or in a comment: the report would count the test as one that ran. */
const HIDDEN = /\b(pass|comment)\(\s*[`'"][^;]*?\b(skip(s|ped)?|not run|there is no \S+ here)\b/g;
/** This file has to name the words. */
const OWN = 'structure/skips.test.ts';

t.test('a test that does not run is reported as skipped', async (t) => {
  const files = readdirSync(`${ROOT}test`, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  t.ok(files.includes(OWN));
  const found = files
    .filter((name) => name !== OWN)
    .flatMap((name) =>
      [...readFileSync(`${ROOT}test/${name}`, 'utf8').matchAll(HIDDEN)].map(([text]) => `${name}: ${text}`),
    );
  t.strictSame(found, [], "give the test { skip: 'reason' }");
});
