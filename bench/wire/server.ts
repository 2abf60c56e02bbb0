import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
const ECHO = fileURLToPath(new URL('./echo-server.js', import.meta.url));

/** A server in a process of its own. */
export class ServerProcess {
  private constructor(
    readonly child: ChildProcessByStdio<Writable, Readable, null>,
    /** Without a slash at the end. */
    readonly url: string,
  ) {}

  /** Southbridge with its default settings, but for those given. */
  static southbridge(...settings: readonly string[]): Promise<ServerProcess> {
    return ServerProcess.#start([PROGRAM, 'serve', '--port', '0', '--log-level', 'error', ...settings], /http:\S+/);
  }

  /** Raw `ws`, which works `spend` ns by each message. */
  static echo(spend = 0): Promise<ServerProcess> {
    return ServerProcess.#start([ECHO, String(spend)], /ws:\S+/);
  }

  static async #start(args: readonly string[], address: RegExp): Promise<ServerProcess> {
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const url = address.exec(line)?.[0];
      if (url) return new ServerProcess(child, url.replace(/\/$/, ''));
    }
    throw new Error(`${args.join(' ')} ended before it served`);
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill();
    await exited;
  }
}
