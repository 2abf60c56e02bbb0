import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../src/cli.js', import.meta.url));

/**
 * The test runner patches what starts processes, so that each loads the runner's modules, and again in each of its
 * threads: half of the time that a short command takes. `env` takes them out before Node starts.
 */
const NODE = ['env', '-u', 'NODE_OPTIONS', process.execPath] as const;

/** A minimal environment, without the variables of the test run. */
function environmentOf(own: { [name: string]: string }): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, ...own };
}

/** Runs the program to its end. */
export function southbridge(args: readonly string[], environment: { [name: string]: string } = {}) {
  const options = { env: environmentOf(environment), encoding: 'utf8' } as const;
  const [command, ...before] = NODE;
  const { status, stdout, stderr } = spawnSync(command, [...before, CLI, ...args], options);
  return { status, stdout, stderr };
}

/** The same, for a program that needs something of the process that runs it. */
export function southbridgeBeside(args: readonly string[], environment: { [name: string]: string } = {}) {
  return runNode([CLI, ...args], environment);
}

/** Runs a Node program to its end, beside this process. */
export async function runNode(args: readonly string[], environment: { [name: string]: string } = {}) {
  const [command, ...before] = NODE;
  const child = spawn(command, [...before, ...args], {
    env: environmentOf(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [status]: (number | null)[] = await exited;
  return { status, stdout, stderr };
}

/** A Node process that goes on, and whose standard output is read by the line. */
export class Program {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly exited: Promise<number | null>;
  stderr = '';
  readonly #lines: AsyncIterator<string>;

  /** `before` is a command that runs the rest in its own process, such as `withLimits`. */
  constructor(args: readonly string[], before: readonly string[] = [], environment: { [name: string]: string } = {}) {
    const [command, ...rest] = [...before, ...NODE, ...args];
    this.child = spawn(command, rest, { env: environmentOf(environment), stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = once(this.child, 'close').then(([code]) => code);
    this.child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk;
    });
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line, or undefined at the end. */
  async line(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : value;
  }

  /** Resolves when a text is in what was written to standard error. */
  async logged(text: RegExp): Promise<void> {
    while (!text.test(this.stderr)) await once(this.child.stderr, 'data');
  }
}

/** A command that runs the rest under options of the shell's `ulimit`. */
export function withLimits(options: string): string[] {
  return ['sh', '-c', `ulimit ${options} && exec "$@"`, 'sh'];
}
