import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** How many files run at once: more would take each other's processors. */
const AT_ONCE = Math.min(2, availableParallelism());
/** Seconds after its own limit in which a file that hangs may still tell where. */
const GRACE = 20;

/** What came of a test file. */
export interface FileResult {
  readonly file: string;
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

/**
 * Runs test files, each in a process of its own, and calls `ended` with each as it ends. Without tap's own runner: it has
 * every file, and every thread of it, load its modules, which is a third of the suite's time.
 */
export async function runFiles(
  files: readonly string[],
  { limit, tier }: { readonly limit: number; readonly tier?: string },
  ended: (result: FileResult) => void,
): Promise<void> {
  const queue = [...files];
  const environment = { ...process.env, TAP_TIMEOUT: String(limit), ...(tier && { TEST_TIER: tier }) };
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      ended(await runFile(file, limit, environment));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function runFile(file: string, limit: number, env: NodeJS.ProcessEnv): Promise<FileResult> {
  const began = Date.now();
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: (limit + GRACE) * 1000,
    killSignal: 'SIGKILL',
  });
  const closed = new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject));
  const output = await text(child.stdout);
  const ok = (await closed) === 0;
  return { file, ok, output, began, seconds: Math.round(Date.now() - began) / 1000 };
}
