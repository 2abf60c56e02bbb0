import type { PresetName } from '../../core/locking/presets.js';
import { CHANGES } from './change.js';
import { at, basePoint, isJudged } from './condition.js';
import { type Comparison, FIGURES, type Figure } from './figures.js';
import { formatValue } from './format.js';

/** The figures of the first table. */
const SHOWN: readonly Figure[] = ['readP99', 'readResponseP99', 'mmioP99', 'latenessP99', 'accesses'];

/** The first table of a comparison: every design at the base point. */
export interface Overview {
  readonly head: readonly string[];
  /** The first cell is the design, with a * where more threads are runnable than there are cores. */
  readonly rows: readonly (readonly string[])[];
  /** What each column means. */
  readonly columns: readonly (readonly [title: string, meaning: string])[];
}

export function overview(comparison: Comparison): Overview {
  const { conditions, cells, machine } = comparison;
  const [base] = conditions;
  const mark = isJudged(base, machine.cores) ? '' : '*';
  const columns: [string, string][] = [
    ['verdict', 'explored, not measured: safe, stale (a line can stay wrong) or unsafe (race or deadlock)'],
    ...SHOWN.map((figure): [string, string] => [FIGURES[figure].title, FIGURES[figure].meaning]),
    ['change', 'judged: the change that the design needs in QEMU'],
  ];
  if (mark) columns.push(['*', 'more runnable threads than cores: not judged']);
  return {
    head: ['design', ...columns.map(([title]) => title).filter((title) => title !== '*')],
    rows: cells
      .filter((cell) => cell.condition === base.name)
      .map(({ locking, class: kind, figures }) => [
        `${locking}${mark}`,
        kind,
        ...SHOWN.map((figure) => formatValue(figure, figures[figure].median)),
        Object.hasOwn(CHANGES, locking) ? CHANGES[locking as PresetName][0] : '–',
      ]),
    columns,
  };
}

/** The sentences above the first table. */
export function measuredBy({ machine, date, rounds, conditions }: Comparison): string {
  const [base] = conditions;
  const where = `${machine.cores} cores of ${machine.cpu}, Node ${machine.node}, ${machine.platform}`;
  const text = at(base);
  return `${text[0].toUpperCase()}${text.slice(1)}: medians of ${rounds} rounds, measured on ${date.slice(0, 10)} on ${where}. The base point is ${basePoint(base)}.`;
}
