import { batchesOf, runBatches, testFiles } from './support/suite.js';

/** `npm test`: the built suite, or the files whose path contains one of the arguments; one TAP document. */

/** Seconds that one test file may take. */
const FILE_LIMIT = 120;

const files = testFiles(process.argv.slice(2));
const batches = batchesOf(files);
const begin = Date.now();
let count = 0;
const failed: string[] = [];
process.stdout.write(`TAP version 14\n1..${batches.length}\n`);
await runBatches(batches, { limit: FILE_LIMIT }, ({ files, ok, output, seconds }) => {
  count++;
  const name = files.join(' ');
  if (!ok) failed.push(name);
  const own = output.replace(/^TAP version 14\n/, '').replace(/^(?=.)/gm, '    ');
  process.stdout.write(
    `# Subtest: ${name}\n${own}${ok ? 'ok' : 'not ok'} ${count} - ${name} # time=${1000 * seconds}ms\n\n`,
  );
});
process.stdout.write(`# ${files.length} files, ${failed.length} failed, ${(Date.now() - begin) / 1000} s\n`);
for (const name of failed) process.stdout.write(`# failed: ${name}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
