import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { NamedDesign } from '../../../core/locking/presets.js';
import { type CampaignResult, runOne } from '../campaign.js';
import type { FindingKind } from '../finding.js';
import { replayString } from '../replay-string.js';
import { runAll } from '../workers.js';
import { type Generated, generate } from './generate.js';
import { PREPARED } from './prepared.js';
import { type Program, scenarioOf } from './program.js';

/** Programs that one record of the progress file stands for. */
const CHUNK = 200;

export interface SweepOptions {
  readonly designs: readonly NamedDesign[];
  /** Prepared machines. */
  readonly machines: readonly string[];
  readonly triples?: boolean | undefined;
  /** Explores every nth program. */
  readonly every?: number | undefined;
  readonly jobs?: number | undefined;
  /** A file of finished parts: those are not explored again. */
  readonly progressFile?: string | undefined;
}

/** What came of some programs of one machine under one design. */
export interface Part {
  readonly locking: string;
  readonly machine: string;
  readonly first: number;
  readonly programs: number;
  /** Programs of which every state was visited. */
  readonly complete: number;
  readonly states: number;
  readonly kinds: readonly FindingKind[];
  /** `kind: summary (replay string)`, of each program with findings that its design may not have. */
  readonly unexpected: readonly string[];
}

/** The programs of a sweep, machine by machine. */
export function programsOf({ machines, triples = false }: SweepOptions): Generated[] {
  return machines.map((machine) => generate(machine, triples));
}

export const PREPARED_NAMES = Object.keys(PREPARED);

/** Every nth program of a machine. */
export function selected({ programs }: Generated, every = 1): Program[] {
  return programs.filter((_, number) => number % every === 0);
}

interface Chunk {
  readonly named: NamedDesign;
  readonly machine: string;
  readonly first: number;
  readonly programs: readonly Program[];
}

function chunksOf(options: SweepOptions): Chunk[] {
  return programsOf(options).flatMap((generated) => {
    const all = selected(generated, options.every);
    const firsts = Array.from({ length: Math.ceil(all.length / CHUNK) }, (_, i) => i * CHUNK);
    const { machine } = generated;
    return firsts.flatMap((first) =>
      options.designs.map((named) => ({ named, machine, first, programs: all.slice(first, first + CHUNK) })),
    );
  });
}

/**
 * Explores generated programs, and yields what came of each part, with how many programs of how many are done. Parts that the
 * progress file has come first.
 */
export async function* sweep(options: SweepOptions): AsyncGenerator<{ part: Part; done: number; total: number }> {
  const chunks = chunksOf(options);
  const total = chunks.reduce((sum, { programs }) => sum + programs.length, 0);
  const known = readParts(options);
  let done = 0;
  for (const chunk of chunks) {
    const key = keyOf({ ...chunk, locking: chunk.named.name, programs: chunk.programs.length });
    let part = known.get(key);
    if (!part) {
      const tasks = chunk.programs.map((program) => ({ named: chunk.named, scenario: scenarioOf(program) }));
      const results: CampaignResult[] = [];
      const how = { mutex: 'blocking' as const, preemptions: undefined, secondPass: false };
      for await (const result of runAll(tasks, how, options.jobs)) results.push(result);
      part = partOf(chunk, results);
      if (options.progressFile !== undefined)
        appendFileSync(options.progressFile, `${JSON.stringify({ key, part })}\n`);
    }
    done += part.programs;
    yield { part, done, total };
  }
}

/** One program under one design, on this thread. */
export function runProgram(program: Program, named: NamedDesign): CampaignResult {
  return runOne(named, scenarioOf(program), { mutex: 'blocking', secondPass: false });
}

function partOf({ named, machine, first, programs }: Chunk, results: readonly CampaignResult[]): Part {
  return {
    locking: named.name,
    machine,
    first,
    programs: programs.length,
    complete: results.filter(({ complete }) => complete).length,
    states: results.reduce((sum, { states }) => sum + states, 0),
    kinds: [...new Set(results.flatMap(({ findings }) => findings.map(({ kind }) => kind)))],
    unexpected: results.flatMap(describeUnexpected),
  };
}

/** The findings of a program that its design may not have, with replay strings. */
export function describeUnexpected(result: CampaignResult): string[] {
  if (result.unexpected.length === 0) return [];
  const kinds = new Set(result.unexpected.map((text) => text.replace('unexpected ', '')));
  return result.findings
    .filter(({ kind }) => kinds.has(kind))
    .map((finding) => `${finding.kind}: ${finding.summary} (${replayString(result, finding)})`);
}

function keyOf({
  locking,
  machine,
  first,
  programs,
}: Pick<Part, 'locking' | 'machine' | 'first' | 'programs'>): string {
  return `${locking} ${machine} ${first} ${programs}`;
}

function readParts({ progressFile, every = 1, triples = false }: SweepOptions): Map<string, Part> {
  const parts = new Map<string, Part>();
  if (progressFile === undefined) return parts;
  const head = JSON.stringify({ every, triples });
  const [first, ...lines] = existsSync(progressFile) ? readFileSync(progressFile, 'utf8').split('\n') : [''];
  if (first === '') appendFileSync(progressFile, `${head}\n`);
  else if (first !== head) throw new Error(`${progressFile} is of another sweep: ${first}`);
  for (const line of lines) {
    // The last line of an interrupted run may be cut off.
    if (!line.endsWith('}')) continue;
    const { key, part } = JSON.parse(line) as { key: string; part: Part };
    parts.set(key, part);
  }
  return parts;
}
