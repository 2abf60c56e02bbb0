import { clearLine, cursorTo } from 'node:readline';
import type { Load } from '../lab/load/load.js';

const REDRAW_MS = 200;

/** How far a load is, on a terminal. */
export class LoadProgress {
  #redraw: NodeJS.Timeout | undefined;

  constructor(
    readonly load: Load,
    readonly durationMs: number,
    readonly terminal: NodeJS.WriteStream = process.stderr,
  ) {}

  begin(): void {
    if (this.terminal.isTTY) this.#redraw = setInterval(() => this.#draw(), REDRAW_MS);
  }

  end(): void {
    if (this.#redraw === undefined) return;
    clearInterval(this.#redraw);
    this.#redraw = undefined;
    this.#clear();
  }

  #draw(): void {
    const { elapsed, operations, received, lost, doubled } = this.load.progress;
    const perSecond = Math.round(operations / Math.max(0.001, elapsed / 1000));
    const of = `${(elapsed / 1000).toFixed(1)} of ${this.durationMs / 1000} s`;
    this.#clear();
    this.terminal.write(
      `${of}, ${perSecond} operations/s, ${received} interrupts, ${lost} lost, ${doubled} doubled so far`.slice(
        0,
        (this.terminal.columns || 80) - 1,
      ),
    );
  }

  #clear(): void {
    clearLine(this.terminal, 0);
    cursorTo(this.terminal, 0);
  }
}
