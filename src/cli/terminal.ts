import { writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { clearLine, cursorTo } from 'node:readline';

const COLOURS = { red: 31, green: 32, yellow: 33 } as const;
const REDRAW_MS = 200;

/** The text in colour if the stream is a terminal that wants it (https://no-color.org). */
export function paint(text: string, colour: keyof typeof COLOURS, stream: NodeJS.WriteStream = process.stdout): string {
  const { NO_COLOR, TERM } = process.env;
  if (!stream.isTTY || NO_COLOR || TERM === 'dumb') return text;
  return `\x1b[${COLOURS[colour]}m${text}\x1b[39m`;
}

/** One line on a terminal that shows how far a command is; nothing elsewhere. */
export class Progress {
  readonly #begin = performance.now();
  readonly #redraw: NodeJS.Timeout | undefined;

  /** `text` is asked for five times a second. */
  constructor(
    text?: () => string,
    readonly terminal: NodeJS.WriteStream = process.stderr,
  ) {
    if (text && terminal.isTTY) this.#redraw = setInterval(() => this.show(text()), REDRAW_MS).unref();
  }

  show(text: string): void {
    if (!this.terminal.isTTY) return;
    this.clear();
    this.terminal.write(text.slice(0, (this.terminal.columns || 80) - 1));
  }

  /** `done of all`, with the time that the rest will take if it goes on like this. */
  of(done: number, all: number): string {
    const seconds = (performance.now() - this.#begin) / 1000;
    const left = done > 0 && done < all ? `, about ${duration((seconds / done) * (all - done))} left` : '';
    return `${done} of ${all}${left}`;
  }

  /** Before anything else is written to the terminal. */
  clear(): void {
    if (!this.terminal.isTTY) return;
    clearLine(this.terminal, 0);
    cursorTo(this.terminal, 0);
  }

  end(): void {
    clearInterval(this.#redraw);
    this.clear();
  }
}

/** Such as `8 s`, `3 min` or `1 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const WIDTH = 80;

/** Breaks the lines of a text at spaces so that each has at most 80 characters; commands to copy stay whole. */
export function wrapped(text: string): string {
  return text
    .split('\n')
    .map((line) => (line.length <= WIDTH || /^ *(npx|curl) /.test(line) ? line : wrappedLine(line)))
    .join('\n');
}

function wrappedLine(text: string): string {
  const indent = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = indent;
  for (const word of text.trim().split(/(?<!^) (?=\S)/)) {
    const longer = line === indent ? indent + word : `${line} ${word}`;
    if (longer.length > WIDTH && line !== indent) {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return [...lines, line].join('\n');
}

/** The name of a file that stands for standard output. */
export const STANDARD_OUTPUT = '-';

export async function writeOutput(file: string, text: string): Promise<void> {
  if (file === STANDARD_OUTPUT) process.stdout.write(text);
  else await writeFile(file, text);
}

/** The command line of this program in documents and in other output. */
export function ownCommand(): string {
  return 'npx southbridge';
}

/** A path relative to the current folder, quoted for a shell. */
export function fromHere(path: string): string {
  const shorter = relative(process.cwd(), path) || '.';
  return /^[\w./-]+$/.test(shorter) ? shorter : `'${shorter.replaceAll("'", "'\\''")}'`;
}
