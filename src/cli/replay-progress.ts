import type { Observer, TraceResult } from '../lab/replay/runner.js';
import { Progress, paint } from './terminal.js';

/** What a replay shows people: failures and skipped files as they come, and on a terminal how far it is. */
export class ReplayProgress implements Observer {
  readonly #begin = performance.now();
  readonly #progress: Progress;
  #file = '';
  #number = 0;
  #done = 0;
  #doneBefore = 0;

  constructor(
    readonly files: number,
    /** Whether failures are printed; otherwise only the report has them. */
    readonly failures: boolean,
    readonly terminal: NodeJS.WriteStream = process.stderr,
  ) {
    this.#progress = new Progress(() => this.#text(), terminal);
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
    this.#progress.clear();
    process.stdout.write(failureText(result));
  }

  skipped(reason: string): void {
    this.#progress.clear();
    this.terminal.write(`skipped ${reason}\n`);
  }

  end(): void {
    this.#progress.end();
  }

  #text(): string {
    const seconds = (performance.now() - this.#begin) / 1000;
    const rate = Math.round((this.#doneBefore + this.#done) / seconds);
    return `${this.#progress.of(this.#number, this.files)}, ${rate} steps/s, ${this.#file}`;
  }
}

function failureText({ file, mismatch, error }: TraceResult): string {
  if (!mismatch)
    return error?.startsWith(file)
      ? `${paint('FAILED', 'red')} ${error}\n`
      : `${paint('FAILED', 'red')} ${file}: ${error}\n`;
  const { line, step, operation, expected, got } = mismatch;
  return `${paint('FAILED', 'red')} ${file}:${line}: step ${step}: ${operation}\n  expected ${expected}\n  got      ${got}\n`;
}
