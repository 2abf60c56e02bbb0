import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { compile } from './c-compiler.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const VALGRIND = ['valgrind', '-q', '--error-exitcode=99', '--leak-check=full', '--errors-for-leak-kinds=all'];
const runs = (command: string, argument = '--version') => spawnSync(command, [argument]).status === 0;

export interface Language {
  readonly name: string;
  readonly skip: string | false;
  /** The command that runs the driver; a program of its own in this folder, if it has to be made. */
  driver(folder: string): string[];
}

/** The clients in other languages. */
export const LANGUAGES: readonly Language[] = [
  {
    name: 'C',
    skip: !runs('cc') && 'there is no C compiler here',
    driver: (folder) => {
      const program = compile(join(folder, 'driver'), 'test/client/drivers/driver.c');
      return runs('valgrind') ? [...VALGRIND, program] : [program];
    },
  },
  {
    name: 'Python',
    skip: !runs('python3') && 'there is no python3 here',
    driver: () => ['python3', join(root, 'test/client/drivers/driver.py')],
  },
];

/** A client that executes commands. */
export class Driver {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #exited: Promise<number | null>;
  readonly #lines: AsyncIterator<string>;

  private constructor([program, ...parameters]: readonly string[]) {
    this.#child = spawn(program, parameters, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#exited = once(this.#child, 'close').then(([status]) => status);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Resolves with what it said first: `open`, or `error` and a code. */
  static async start(t: Test, command: readonly string[]): Promise<[driver: Driver, first: string | undefined]> {
    const driver = new Driver(command);
    t.teardown(() => driver.#child.kill('SIGKILL'));
    return [driver, await driver.#line()];
  }

  async #line(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : value;
  }

  /** The answer to a command, behind its events. */
  async send(command: string): Promise<string[]> {
    this.#child.stdin.write(`${command}\n`);
    const lines: string[] = [];
    for (let line = await this.#line(); line !== undefined; line = await this.#line()) {
      lines.push(line);
      if (!/^(interrupt|intr|gap|restored) /.test(line)) break;
    }
    return lines;
  }

  /** Status of the program; valgrind makes it 99 if it found anything. */
  async end(): Promise<number | null> {
    this.#child.stdin.end();
    return this.#exited;
  }
}
