import { clearLine, cursorTo } from 'node:readline';
import type { Observer, TraceResult } from '../lab/replay/runner.js';

const REDRAW_MS = 100;

/** What a replay tells people: failures and skipped files as they come, and on a terminal how far it is. */
export class ReplayProgress implements Observer {
  readonly #begin = performance.now();
  readonly #redraw: NodeJS.Timeout | undefined;
  #file = '';
  #number = 0;
  #done = 0;
  #doneBefore = 0;

  constructor(
    readonly files: number,
    /** Whether failures are told; else they are left to the report. */
    readonly failures: boolean,
    readonly terminal: NodeJS.WriteStream = process.stderr,
  ) {
    if (terminal.isTTY) this.#redraw = setInterval(() => this.#draw(), REDRAW_MS);
  }

  started(file: string, number: number): void {
    this.#file = file;
    this.#number = number;
    this.#doneBefore += this.#done;
    this.#done = 0;
  }

  stepped(done: number): void {
    this.#done = done;
  }

  finished(result: TraceResult): void {
    if (result.passed || !this.failures) return;
    this.#clear();
    process.stdout.write(failureText(result));
  }

  skipped(reason: string): void {
    this.#clear();
    this.terminal.write(`skipped ${reason}\n`);
  }

  end(): void {
    clearInterval(this.#redraw);
    this.#clear();
  }

  #draw(): void {
    const seconds = (performance.now() - this.#begin) / 1000;
    const rate = Math.round((this.#doneBefore + this.#done) / seconds);
    const text = `${this.#number} of ${this.files}, ${rate} steps/s, ${this.#file}`;
    this.#clear();
    this.terminal.write(text.slice(0, this.terminal.columns - 1));
  }

  #clear(): void {
    if (!this.#redraw) return;
    clearLine(this.terminal, 0);
    cursorTo(this.terminal, 0);
  }
}

function failureText({ file, mismatch, error }: TraceResult): string {
  if (!mismatch) return error?.startsWith(file) ? `FAILED ${error}\n` : `FAILED ${file}: ${error}\n`;
  const { line, step, operation, expected, got } = mismatch;
  return `FAILED ${file}:${line}: step ${step}: ${operation}\n  expected ${expected}\n  got      ${got}\n`;
}
