import { InvalidArgumentError, Option } from 'commander';
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
