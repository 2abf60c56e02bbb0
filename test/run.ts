import { type FileReport, reportsOf, skipsOf } from './support/report.js';
import { batchesOf, runBatches, testFiles } from './support/suite.js';

/**
 * `npm test`: runs the built suite, or the files whose path contains one of the arguments. Prints a line for each file,
 * and what failed of a process in which a test failed. With `--tap` it prints one TAP document instead.
 */

/** Seconds that one test file may take. */
const FILE_LIMIT = 120;

const parts = process.argv.slice(2).filter((argument) => argument !== '--tap');
const printsTap = process.argv.includes('--tap');
const files = testFiles(parts);
const batches = batchesOf(files);
const begin = Date.now();
const reports: FileReport[] = [];
let ended = 0;

function printFile({ file, passed, failed, skips }: FileReport, seconds: number): void {
  const name = file.replace(/^dist\/test\//, '').replace(/\.test\.js$/, '');
  const skipped = skips.length > 0 ? `, ${skips.length} skipped` : '';
  const place = `[${String(reports.length).padStart(String(files.length).length)}/${files.length}]`;
  process.stdout.write(
    `${failed > 0 ? 'FAILED' : 'ok    '} ${place} ${name}: ${passed} passed${failed > 0 ? `, ${failed} failed` : ''}${skipped} (${seconds} s)\n`,
  );
}

function printTap(name: string, ok: boolean, output: string, seconds: number): void {
  const own = output.replace(/^TAP version 14\n/, '').replace(/^(?=.)/gm, '    ');
  process.stdout.write(
    `# Subtest: ${name}\n${own}${ok ? 'ok' : 'not ok'} ${ended} - ${name} # time=${1000 * seconds}ms\n\n`,
  );
}

/** TAP without the assertions that hold. */
function withoutPassed(output: string): string {
  return output.replace(/^ *ok \d+.*\n/gm, '');
}

if (printsTap) process.stdout.write(`TAP version 14\n1..${batches.length}\n`);
await runBatches(batches, { limit: FILE_LIMIT }, (result) => {
  ended++;
  const { ok, output, seconds } = result;
  if (printsTap) printTap(result.files.join(' '), ok, output, seconds);
  else if (!ok) process.stdout.write(withoutPassed(output));
  for (const report of reportsOf(result)) {
    reports.push(report);
    // Files that share a process share its time.
    if (!printsTap) printFile(report, seconds);
  }
});

const total = (count: (report: FileReport) => number) => reports.reduce((sum, report) => sum + count(report), 0);
const failed = total((report) => report.failed);
const say = (line: string) => process.stdout.write(printsTap ? `# ${line}\n` : `${line}\n`);
for (const { file, failed } of reports) if (failed > 0) say(`failed: ${file}`);
for (const line of skipsOf(reports)) say(line);
say(`${files.length} files in ${Math.round((Date.now() - begin) / 1000)} s`);
say(`${total((report) => report.passed)} passed, ${failed} failed, ${total(({ skips }) => skips.length)} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
