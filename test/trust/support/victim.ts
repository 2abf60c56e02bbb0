import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { ERRORS, type ErrorCode } from '../../../src/errors.js';
import { CLI, Program } from '../../support/program.js';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Codes that tell of a fault of the server, whatever was sent. */
const FAULTS: readonly string[] = ['internal', 'not-ready', 'shutting-down'];

/** A server in a process of its own that is to survive whatever it is sent. */
export class Victim {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  private constructor(
    readonly program: Program,
    readonly url: string,
  ) {}

  static async start(t: Test, ...settings: readonly string[]): Promise<Victim> {
    const set = settings.flatMap((setting) => ['--set', setting]);
    const program = new Program([CLI, 'serve', '--port', '0', '--log-level', 'error', ...set]);
    t.teardown(() => program.child.kill('SIGKILL'));
    const url = /http:\S+/.exec((await program.line()) ?? '')?.[0];
    if (url === undefined) throw new Error(`the server did not start: ${program.stderr}`);
    return new Victim(program, url);
  }

  /** Sends a request as it is; of an endless answer only the beginning is read. */
  ask(method: string, path: string, body?: string, headers: { [name: string]: string } = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const json = body === undefined ? {} : { 'content-type': 'application/json' };
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const options = { method, headers: { ...json, ...length, ...headers }, agent: this.#agent };
      const sent = request(this.url + path, options, async (response) => {
        const type = response.headers['content-type'] ?? '';
        const status = response.statusCode ?? 0;
        if (type.startsWith('text/event-stream')) {
          response.destroy();
          resolve({ status, type, text: '' });
        } else resolve({ status, type, text: await text(response) });
      });
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // The server closes a connection when bytes after an answered request are not HTTP. A client that has not seen
        // that yet retries (RFC 9112, 9.3.1). A dead server refuses the new connection.
        if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(this.ask(method, path, body, headers));
        else reject(error);
      });
      sent.end(body);
    });
  }

  /** All that a guest or an operator could tell of a machine, but for the moment at which it was looked at. */
  async stateOf(machine: string): Promise<string> {
    const { status, text } = await this.ask('GET', `/v1/machines/${machine}/snapshot`);
    if (status !== 200) throw new Error(`no snapshot: ${text}`);
    const { takenAt, ...snapshot } = JSON.parse(text);
    return JSON.stringify(snapshot);
  }

  async requireHealth(): Promise<void> {
    const { status } = await this.ask('GET', '/healthz');
    if (status !== 200) throw new Error(`/healthz: ${status}`);
  }

  /** Ends the server: it must have been well to the last. */
  async end(t: Test): Promise<void> {
    await this.requireHealth();
    this.#agent.destroy();
    this.program.child.kill('SIGTERM');
    t.equal(await this.program.exited, 0, 'the server ends in order');
    t.equal(this.program.stderr, '', 'and has logged no failure');
  }
}

/** Why this is no proper refusal, or undefined if it is one. */
export function faultOf(code: string, message: string, status?: number): string | undefined {
  if (!Object.hasOwn(ERRORS, code)) return `the code ${code} is in no table`;
  if (FAULTS.includes(code)) return `the server failed: ${code}`;
  if (/undefined|\[object/.test(message)) return `the sentence has holes: ${message}`;
  const expected = ERRORS[code as ErrorCode].status;
  if (status !== undefined && status !== expected) return `status ${status} of ${code}, not ${expected}`;
  return undefined;
}
