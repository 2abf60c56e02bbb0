import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

const maps = new Map<string, SourceMap | undefined>();

const lines = new Map<string, string>();

/** A line of a stack trace in terms of the source: `src/runtime/threads/main-loop.ts:64 MainLoop.runDue`. */
export function sourceLine(line: string): string {
  const known = lines.get(line) ?? translated(line);
  lines.set(line, known);
  return known;
}

function translated(line: string): string {
  const match = /^\s*at (?:(.*?) \()?(.*?):(\d+):(\d+)\)?$/.exec(line);
  if (!match) return line.trim();
  const [, name = '', location, row, column] = match;
  let file = location.startsWith('file:') ? fileURLToPath(location) : location;
  let number = Number(row);
  const entry = mapOf(file)?.findEntry(number - 1, Number(column) - 1);
  if (entry && 'originalSource' in entry) {
    file = entry.originalSource.replace(/^(\.\.\/)+/, '/');
    number = entry.originalLine + 1;
  }
  const short = file.slice(Math.max(file.lastIndexOf('/src/'), file.lastIndexOf('/test/')) + 1);
  return `${short}:${number}${name ? ` ${name.replace(/^Object\./, '')}` : ''}`;
}

function mapOf(file: string): SourceMap | undefined {
  if (!maps.has(file)) {
    const path = `${file}.map`;
    maps.set(file, existsSync(path) ? new SourceMap(JSON.parse(readFileSync(path, 'utf8'))) : undefined);
  }
  return maps.get(file);
}
