import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endOf } from './report.js';

/** Runs the test files that the arguments name, one after the other, as one TAP document. */
const files = process.argv.splice(2);
// Tap names folders for tests after the program.
process.argv[1] = files[0];
const { default: t } = await import('tap');

/** What a file puts off to its end, and tap to that of the process. */
let tearDowns: (() => unknown)[] = [];
t.teardown = (work) => {
  tearDowns.push(work);
};

for (const file of files) {
  t.comment(file);
  await import(pathToFileURL(resolve(file)).href);
  await t.test(endOf(file), async () => {
    for (const tearDown of tearDowns.reverse()) await tearDown();
    tearDowns = [];
  });
}
