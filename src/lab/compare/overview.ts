import type { PresetName } from '../../core/locking/presets.js';
import { CHANGES } from './change.js';
import { type Comparison, FIGURES, type Figure } from './figures.js';
import { formatLoad, formatValue } from './format.js';
import { isJudged } from './ranking.js';

/** The figures of the first table. */
const SHOWN: readonly Figure[] = ['readP99', 'mmioP99', 'latenessP99', 'accesses'];

/** The first table of a comparison: every design under one BQL load. */
export interface Overview {
  readonly load: number;
  readonly head: readonly string[];
  /** The first cell is the design, with a * where more threads are runnable than there are cores. */
  readonly rows: readonly (readonly string[])[];
  /** What each column means. */
  readonly columns: readonly (readonly [title: string, meaning: string])[];
}

export function overview(comparison: Comparison): Overview {
  const { loads, cells } = comparison;
  const load = loads.includes(0.5) ? 0.5 : Math.max(...loads);
  const mark = isJudged(comparison) ? '' : '*';
  const columns: [string, string][] = [
    ['verdict', 'explored, not measured: safe, stale (a line can stay wrong) or unsafe (race or deadlock)'],
    ...SHOWN.map((figure): [string, string] => [FIGURES[figure].title, FIGURES[figure].meaning]),
    ['change', 'judged: the change that the design needs in QEMU'],
  ];
  if (mark) columns.push(['*', 'more runnable threads than cores: not judged']);
  return {
    load,
    head: ['design', ...columns.map(([title]) => title).filter((title) => title !== '*')],
    rows: cells
      .filter((cell) => cell.load === load)
      .map(({ locking, class: kind, figures }) => [
        `${locking}${mark}`,
        kind,
        ...SHOWN.map((figure) => formatValue(figure, figures[figure].median)),
        Object.hasOwn(CHANGES, locking) ? CHANGES[locking as PresetName][0] : '–',
      ]),
    columns,
  };
}

/** The sentence above the first table. */
export function measuredBy({ machine, date, rounds, vcpus }: Comparison, load: number): string {
  return `At a BQL load of ${formatLoad(load)}: medians of ${rounds} rounds, measured on ${date.slice(0, 10)} with ${vcpus} vCPU threads on ${machine.cores} cores of ${machine.cpu}, Node ${machine.node}, ${machine.platform}.`;
}
