import { readFile } from 'node:fs/promises';
import { axesOf, designNamed, PRESET_NAMES, type PRESETS, presetOf } from '../../core/locking/presets.js';
import { scopeText, storedVerdict } from '../../core/locking/verdicts.js';

const FILE = new URL('../../../../docs/designs.md', import.meta.url);

/** The stored result of exploring a design. */
export interface ExploredDesign {
  /** The preset, else the axis values. */
  readonly design: string;
  readonly preset: string | null;
  readonly axes: string;
  readonly predicted: string;
  readonly explored: string;
  readonly scope: string;
  readonly findings: string;
  /** Of the shortest counterexample. */
  readonly shortest: string;
  readonly replay: string | null;
}

let read: Promise<{ command: string; designs: ExploredDesign[] }> | undefined;

/** All combinations of the axes with the verdicts of `docs/designs.md`. Presets, with their stored verdicts, come first. */
export function readDesigns(): Promise<{ command: string; designs: ExploredDesign[] }> {
  read ??= readFile(FILE, 'utf8')
    .then(parse)
    .catch((error) => {
      read = undefined;
      throw error;
    });
  return read;
}

function parse(text: string): { command: string; designs: ExploredDesign[] } {
  // The table before it has the presets only.
  const combinations = text.slice(text.indexOf('\n## '));
  const rows = combinations.split('\n').filter((line) => line.startsWith('| `'));
  const designs = rows.map(parseRow);
  const rank = ({ preset }: ExploredDesign) => (preset === null ? PRESET_NAMES.length : presetRank(preset));
  return {
    command: /^ {4}(npx .*)$/m.exec(text)?.[1] ?? 'npx southbridge explore --locking axes --table',
    designs: designs.sort((a, b) => rank(a) - rank(b)),
  };
}

function presetRank(preset: string): number {
  return PRESET_NAMES.indexOf(preset as keyof typeof PRESETS);
}

function parseRow(line: string): ExploredDesign {
  const cells = line.split('|').slice(1, -1);
  const [name, predicted, explored, scope, findings, shortest = ''] = cells.map((cell) => cell.trim());
  const named = designNamed(name.replaceAll('`', ''));
  const preset = (named && presetOf(named.design)) ?? null;
  const axes = named ? axesOf(named.design) : name.replaceAll('`', '');
  const stored = preset === null ? undefined : storedVerdict(preset);
  return {
    design: preset ?? axes,
    preset,
    axes,
    predicted,
    explored: stored?.verdict ?? explored.replace(/^\*\*(\w+)\*\*.*/, '$1'),
    scope: stored ? scopeText(stored) : scope,
    findings,
    shortest: shortest.replace(/:? ?`[^`]*`$/, ''),
    replay: /`([^`]*)`$/.exec(shortest)?.[1] ?? null,
  };
}
