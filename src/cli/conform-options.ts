import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { PRESET_NAMES, type PresetName } from '../core/locking/presets.js';
import { KINDS, type Kind, type Program } from '../lab/conform/program.js';
import { randomProgram } from '../lab/conform/random-program.js';
import { WRITTEN } from '../lab/conform/written-programs.js';

/** Which programs run on a QEMU. */
export interface ConformOptions {
  readonly device: Kind | 'all';
  readonly seeds: readonly [first: number, last: number];
}

export function deviceOption(): Option {
  return new Option('--device <device>', 'which devices').choices([...KINDS, 'all']).default('all');
}

export function seedsOption(): Option {
  return new Option('--seeds <range>', 'of the random programs').argParser(seeds).default([1, 20], '1..20');
}

/** Parses `A..B`, or one seed. */
function seeds(text: string): [number, number] {
  const [, first, last = first] = /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(text) ?? [];
  if (first !== undefined && Number(first) <= Number(last)) return [Number(first), Number(last)];
  throw new InvalidArgumentError('It is a range such as 1..20, or one seed.');
}

export function programsOf({ device, seeds: [first, last] }: ConformOptions, written: boolean): Program[] {
  const kinds = device === 'all' ? KINDS : [device];
  const programs = written ? WRITTEN.filter(({ setup }) => kinds.some((kind) => kind === setup.kind)) : [];
  for (let seed = first; seed <= last; seed++) programs.push(...kinds.map((kind) => randomProgram(kind, seed)));
  return programs;
}

/** Parses presets, separated by commas. */
export function designs(text: string): PresetName[] {
  const names = text.split(',') as PresetName[];
  const unknown = names.find((name) => !PRESET_NAMES.includes(name));
  if (unknown === undefined) return names;
  throw new InvalidArgumentError(`${unknown} is none of ${PRESET_NAMES.join(', ')}.`);
}

/** How many programs of a run were equal, in a file if the user names one: a run that was interrupted continues there. */
export class RunProgress {
  readonly #run: string;
  #programs = 0;

  constructor(readonly options: ConformOptions & { locking: readonly PresetName[]; readonly progress?: string }) {
    const { device, seeds, locking, progress } = options;
    this.#run = `${device} ${seeds.join('..')} ${locking}`;
    if (progress === undefined) return;
    try {
      const { run, programs } = JSON.parse(readFileSync(progress, 'utf8'));
      if (run === this.#run && Number.isInteger(programs)) this.#programs = programs;
    } catch {
      // There is none yet, or it is of no use: the run begins at its first program.
    }
  }

  get programs(): number {
    return this.#programs;
  }

  set programs(programs: number) {
    const { progress } = this.options;
    this.#programs = programs;
    if (progress === undefined) return;
    mkdirSync(dirname(progress), { recursive: true });
    writeFileSync(progress, `${JSON.stringify({ run: this.#run, programs })}\n`);
  }
}
