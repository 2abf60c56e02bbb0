import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CommandResult } from './command-host-process.js';

const BODY = fileURLToPath(new URL('command-host-process.js', import.meta.url));

/**
 * One process that runs many commands of the program, one after another: by the function that the executable calls, with
 * its arguments. A command costs milliseconds there, and half a second in a process of its own.
 */
export class CommandHost {
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;

  constructor() {
    this.#child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, BODY], {
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#ended = once(this.#child, 'exit').then(([status]) => {
      throw new Error(`the process that runs commands has ended with status ${status}`);
    });
    this.#ended.catch(() => {});
  }

  /** Runs a command to its end. */
  async run(args: readonly string[]): Promise<CommandResult> {
    const answered = once(this.#child, 'message');
    this.#child.send([...args]);
    const [result]: CommandResult[] = await Promise.race([answered, this.#ended]);
    return result;
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
