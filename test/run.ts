import { runFiles, testFiles } from './support/suite.js';

/** `npm test`: the built suite, or the files whose path contains one of the arguments; one TAP document. */

/** Seconds that one test file may take. */
const FILE_LIMIT = 240;

const files = testFiles(process.argv.slice(2));
const begin = Date.now();
let count = 0;
const failed: string[] = [];
process.stdout.write(`TAP version 14\n1..${files.length}\n`);
await runFiles(files, { limit: FILE_LIMIT }, ({ file, ok, output, seconds }) => {
  count++;
  if (!ok) failed.push(file);
  const own = output.replace(/^TAP version 14\n/, '').replace(/^(?=.)/gm, '    ');
  process.stdout.write(
    `# Subtest: ${file}\n${own}${ok ? 'ok' : 'not ok'} ${count} - ${file} # time=${1000 * seconds}ms\n\n`,
  );
});
process.stdout.write(`# ${files.length} files, ${failed.length} failed, ${(Date.now() - begin) / 1000} s\n`);
for (const file of failed) process.stdout.write(`# failed: ${file}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
