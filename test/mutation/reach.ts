import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutants.js';

/** Part of a built file of core or runtime that was executed, or was not: offsets in its text. */
export interface Reached {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly executed: boolean;
}

/** Of one script, as V8 reports it. */
export interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
  }[];
}

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url));

/** `source`: folder of the built source. */
export function reachedOf(scripts: readonly ScriptCoverage[], source: string): Reached[] {
  const reached: Reached[] = [];
  for (const { url, functions } of scripts) {
    const path = url.startsWith('file:') ? fileURLToPath(url) : '';
    const file = path.slice(source.length);
    if (!path.startsWith(source) || !/^(core|runtime)\//.test(file)) continue;
    for (const { ranges } of functions) {
      for (const { startOffset: start, endOffset: end, count } of ranges) {
        reached.push({ file, start, end, executed: count > 0 });
      }
    }
  }
  return reached;
}

/** The coverage of this thread since the last `take`. */
export class CoverageSession {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  take(): Reached[] {
    let reached: Reached[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (_, { result }) => {
      reached = reachedOf(result, SOURCE);
    });
    return reached;
  }
}

const offsets = new Map<string, readonly number[]>();

/** Offset of the first statement of each line. */
function offsetsOf(file: string): readonly number[] {
  const known = offsets.get(file);
  if (known) return known;
  let at = 0;
  const all = readFileSync(join(SOURCE, file), 'utf8')
    .split('\n')
    .map((line) => {
      const first = at + line.length - line.trimStart().length;
      at += line.length + 1;
      return first;
    });
  offsets.set(file, all);
  return all;
}

/** The mutants whose line was executed: the innermost range around it counts. */
export function mutantsReached(mutants: readonly Mutant[], reached: readonly Reached[]): string[] {
  const ranges = new Map<string, Reached[]>();
  for (const range of reached) {
    const ofFile = ranges.get(range.file);
    if (ofFile) ofFile.push(range);
    else ranges.set(range.file, [range]);
  }
  return mutants
    .filter(({ file, line }) => {
      const offset = offsetsOf(file)[line - 1];
      const around = (ranges.get(file) ?? []).filter(({ start, end }) => start <= offset && offset < end);
      const length = Math.min(...around.map(({ start, end }) => end - start));
      // The same range may be there once for each thread.
      return around.some(({ start, end, executed }) => executed && end - start === length);
    })
    .map(({ id }) => id);
}
