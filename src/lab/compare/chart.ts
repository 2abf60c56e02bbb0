import { type Condition, type Factor, formatLoad, holdLength } from './condition.js';
import { type Comparison, FIGURES, type Figure } from './figures.js';
import { formatValue } from './format.js';

const WIDTH = 460;
const LABELS = 150;
const VALUES = 62;
const BAR = 7;
const GAP = 9;
/** From the least value to the largest, for light and dark paper alike. */
const COLOURS = ['#8da4ef', '#3e63dd', '#0d74ce', '#7c66dc', '#ab4aba', '#e54666'];

/** A figure, drawn over the values of one factor. */
export interface Chart {
  /** Part of the name of its file. */
  readonly name: string;
  readonly figure: Figure;
  readonly factor: 'load' | 'holds' | 'vcpus';
}

const BY_LOAD: readonly Figure[] = ['accesses', 'readP99', 'mmioP99', 'latenessP99', 'interruptP99', 'waiting'];

/** The charts of a comparison: those by BQL load, and of the other factors those of which several values were measured. */
export function chartsOf(comparison: Comparison): Chart[] {
  const others = (
    [
      { name: 'mmioP99-holds', figure: 'mmioP99', factor: 'holds' },
      { name: 'readP99-holds', figure: 'readP99', factor: 'holds' },
      { name: 'accesses-vcpus', figure: 'accesses', factor: 'vcpus' },
    ] as const
  ).filter(({ factor }) => seriesOf(comparison, factor).length > 1);
  return [...BY_LOAD.map((figure): Chart => ({ name: figure, figure, factor: 'load' })), ...others];
}

const AXES: { readonly [factor in Chart['factor']]: readonly [title: string, label: (of: Condition) => string] } = {
  load: ['BQL load', ({ load }) => formatLoad(load)],
  holds: ['BQL holds', ({ holds }) => `${holds.holder === 'vcpus' ? 'vCPU' : 'bg.'} ${holdLength(holds.ns)}`],
  vcpus: ['vCPUs', ({ vcpus }) => String(vcpus)],
};

/** The base point and the conditions that differ from it in this factor, by rising values. */
function seriesOf({ conditions }: Comparison, factor: Factor): Condition[] {
  const order = ({ load, holds, vcpus }: Condition) =>
    factor === 'load' ? load : factor === 'vcpus' ? vcpus : holds.ns + (holds.holder === 'vcpus' ? 1e9 : 0);
  return conditions
    .filter((each) => each.factor === undefined || each.factor === factor)
    .sort((one, other) => order(one) - order(other));
}

/** One figure as bars: a group per design, a bar per value. Widths are logarithmic where values span two decades. */
export function chart(comparison: Comparison, drawn: Chart): string {
  return `<figure><figcaption>${captionOf(comparison, drawn)}</figcaption>\n${svg(comparison, drawn)}</figure>`;
}

/** The same as a file of its own. */
export function picture(comparison: Comparison, drawn: Chart): string {
  const style = `<style>text { font: 11px ui-monospace, monospace; fill: #1c2024 } .soft { fill: #60646c } .whisker { stroke: #1c2024 }
@media (prefers-color-scheme: dark) { text { fill: #edeef0 } .soft { fill: #b0b4ba } .whisker { stroke: #edeef0 } }</style>`;
  return `${svg(comparison, drawn).replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ').replace('>', `>${style}`)}\n`;
}

export function captionOf(comparison: Comparison, drawn: Chart): string {
  const by = drawn.factor === 'load' ? '' : ` by ${AXES[drawn.factor][0]}`;
  const scale = scaleOf(comparison, drawn).isLogarithmic ? ' (logarithmic)' : '';
  return `${FIGURES[drawn.figure].title}${by}${scale}`;
}

function cellsOf({ cells }: Comparison, series: readonly Condition[], locking: string) {
  return series.flatMap((condition, index) => {
    const cell = cells.find((each) => each.locking === locking && each.condition === condition.name);
    return cell ? [{ cell, condition, colour: COLOURS[index % COLOURS.length] }] : [];
  });
}

function scaleOf(comparison: Comparison, { figure, factor }: Chart) {
  const names = seriesOf(comparison, factor).map(({ name }) => name);
  const cells = comparison.cells.filter(({ condition }) => names.includes(condition));
  const all = cells.flatMap(({ figures }) => [figures[figure].low, figures[figure].high]).filter((value) => value > 0);
  const largest = Math.max(1, ...all);
  const least = Math.min(largest, ...all);
  return { largest, from: least / 2, isLogarithmic: largest / least > 100 };
}

function svg(comparison: Comparison, drawn: Chart): string {
  const { figure, factor } = drawn;
  const series = seriesOf(comparison, factor);
  const designs = [...new Set(comparison.cells.map(({ locking }) => locking))];
  const [axis, label] = AXES[factor];
  const { largest, from, isLogarithmic } = scaleOf(comparison, drawn);
  const room = WIDTH - LABELS - VALUES;
  const x = (value: number) => {
    if (value <= 0) return 0;
    return room * (isLogarithmic ? Math.log(value / from) / Math.log(largest / from) : value / largest);
  };
  let y = 4;
  const parts: string[] = [];
  for (const locking of designs) {
    const group = cellsOf(comparison, series, locking);
    parts.push(`<text x="${LABELS - 6}" y="${y + (group.length * BAR) / 2 + 4}" text-anchor="end">${locking}</text>`);
    for (const { cell, condition, colour } of group) {
      const { median, low, high } = cell.figures[figure];
      const middle = y + BAR / 2;
      parts.push(
        `<rect x="${LABELS}" y="${y + 1}" width="${x(median).toFixed(1)}" height="${BAR - 2}" fill="${colour}"><title>${locking}, ${condition.name}: ${formatValue(figure, median)}</title></rect>`,
        `<line class="whisker" x1="${(LABELS + x(low)).toFixed(1)}" x2="${(LABELS + x(high)).toFixed(1)}" y1="${middle}" y2="${middle}"/>`,
      );
      y += BAR;
    }
    const last = group.at(-1);
    if (last) {
      const text = formatValue(figure, last.cell.figures[figure].median);
      parts.push(`<text class="soft" x="${WIDTH}" y="${y - 1}" text-anchor="end">${text}</text>`);
    }
    y += GAP;
  }
  const across = Math.max(50, Math.min(70, (WIDTH - LABELS) / series.length));
  const legend = series.map((condition, i) => {
    const at = LABELS + i * across;
    return `<rect x="${at}" y="${y}" width="8" height="8" fill="${COLOURS[i % COLOURS.length]}"/><text class="soft" x="${at + 12}" y="${y + 8}"${series.length > 4 ? ' font-size="8"' : ''}>${label(condition)}</text>`;
  });
  const { title } = FIGURES[figure];
  return `<svg viewBox="0 0 ${WIDTH} ${y + 14}" role="img" aria-label="${title} by design and ${axis}; the table below has the same figures">${parts.join('')}<text class="soft" x="${LABELS - 6}" y="${y + 8}" text-anchor="end">${axis}</text>${legend.join('')}</svg>`;
}
