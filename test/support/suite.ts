import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const IN_ONE_PROCESS = fileURLToPath(new URL('in-one-process.js', import.meta.url));

/** How many processes run at once: more would take each other's processors. */
const AT_ONCE = Math.min(2, availableParallelism());
/** Tests that wait for leases to run out most of the time: one process runs them, beside the others. */
const WAITING = 'server/cluster/';
/** Seconds after its own limit in which a process that hangs may still tell where. */
const GRACE = 20;

/** Test files that one process runs, one after the other: a server takes longer to load than most tests of it. */
const BATCH = 8;
/** Tests that measure their process, and have one of their own. */
const ALONE = ['trust/abuse', 'trust/soak'];

/** What came of test files that ran in one process. */
export interface Result {
  readonly files: readonly string[];
  readonly ok: boolean;
  /** TAP. */
  readonly output: string;
  /** When it began: ms since 1970. */
  readonly began: number;
  readonly seconds: number;
}

/** Built test files whose path contains one of `parts`, or all if there are none. Throws if there is no such file. */
export function testFiles(parts: readonly string[]): string[] {
  const files = readdirSync(join(ROOT, 'dist/test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => join('dist/test', file))
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .sort();
  if (files.length === 0) throw new Error(`no built test file contains ${parts.join(' or ')}`);
  return files;
}

function isAlone(file: string): boolean {
  return ALONE.some((part) => file.includes(part));
}

/** Files of a folder together. */
export function batchesOf(files: readonly string[]): string[][] {
  const batches: string[][] = [];
  for (const file of files) {
    const last = batches.at(-1);
    const fits = last && last.length < BATCH && dirname(last[0]) === dirname(file);
    if (fits && !isAlone(file) && !isAlone(last[0])) last.push(file);
    else batches.push([file]);
  }
  return batches;
}

/**
 * Runs batches of test files, each in a process of its own, and calls `ended` with each as it ends. Without tap's own
 * runner: it has every file, and every thread of it, load its modules, which is a third of the suite's time.
 */
export async function runBatches(
  batches: readonly (readonly string[])[],
  { limit, tier }: { /** Seconds for a file. */ readonly limit: number; readonly tier?: string },
  ended: (result: Result) => void,
): Promise<void> {
  const isWaiting = ([first]: readonly string[]) => first.includes(WAITING);
  const worker = async (queue: (readonly string[])[]) => {
    for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
      ended(await runBatch(batch, limit * batch.length, tier));
    }
  };
  const others = batches.filter((batch) => !isWaiting(batch));
  const workers = Array.from({ length: AT_ONCE }, () => worker(others));
  await Promise.all([worker(batches.filter(isWaiting)), ...workers]);
}

async function runBatch(files: readonly string[], limit: number, tier?: string): Promise<Result> {
  const began = Date.now();
  const env = { ...process.env, TAP_TIMEOUT: String(limit), ...(tier && { TEST_TIER: tier }) };
  const program = files.length === 1 ? [] : [IN_ONE_PROCESS];
  const child = spawn(process.execPath, ['--enable-source-maps', ...program, ...files], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: (limit + GRACE) * 1000,
    killSignal: 'SIGKILL',
  });
  const closed = new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject));
  const output = await text(child.stdout);
  const ok = (await closed) === 0;
  return { files, ok, output, began, seconds: Math.round(Date.now() - began) / 1000 };
}
