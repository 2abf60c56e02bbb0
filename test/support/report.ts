import type { Result } from './suite.js';

/** What a test file's TAP says. */
export interface FileReport {
  readonly file: string;
  /** Tests at the top level of the file. */
  readonly passed: number;
  readonly failed: number;
  /** Reasons of the tests, at any level, that were skipped. */
  readonly skips: readonly string[];
}

const POINT = /^( *)(not )?ok \d+(?: - (.*?))?(?: # time=\S+)?$/;
const SKIP = /^(.*?) ?# SKIP ?(.*?)(?: # time=\S+)?$/;

/** Splits the TAP of a process at the comments with which `in-one-process.ts` begins each file. */
export function reportsOf({ files, ok, output }: Result): FileReport[] {
  const reports = files.map((file) => ({ file, passed: 0, failed: 0, skips: [] as string[] }));
  let current = reports[0];
  for (const line of output.split('\n')) {
    current = reports.find(({ file }) => line === `# ${file}`) ?? current;
    const [, indent, isFailed, name = ''] = POINT.exec(line) ?? [];
    if (indent === undefined) continue;
    const skip = SKIP.exec(name);
    if (skip) current.skips.push(skip[2] || skip[1]);
    else if (indent !== '' || name === endOf(current.file)) continue;
    else if (isFailed) current.failed++;
    else current.passed++;
  }
  // A process that died says nothing of the test that it died in.
  if (!ok && reports.every(({ failed }) => failed === 0)) current.failed++;
  return reports;
}

/** The name of the test that closes a file which shares its process. */
export function endOf(file: string): string {
  return `the tests of ${file} have ended`;
}

/** Each reason for a skip, with how many tests it skipped. */
export function skipsOf(reports: readonly FileReport[]): string[] {
  const counts = new Map<string, number>();
  for (const reason of reports.flatMap(({ skips }) => skips)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${count} skipped: ${reason}`);
}
