import { type Comparison, FIGURES, type Figure } from './figures.js';
import { formatLoad, formatValue } from './format.js';

const WIDTH = 460;
const LABELS = 150;
const VALUES = 62;
const BAR = 7;
const GAP = 9;
/** From no load to the heaviest, for light and dark paper alike. */
const COLOURS = ['#8da4ef', '#3e63dd', '#0d74ce', '#7c66dc', '#ab4aba', '#e54666'];

/** The figures that are drawn. */
export const CHARTED: readonly Figure[] = ['accesses', 'readP99', 'mmioP99', 'latenessP99', 'interruptP99', 'waiting'];

/** One figure as bars: a group per design, a bar per BQL load. Widths are logarithmic where values span two decades. */
export function chart(comparison: Comparison, figure: Figure): string {
  return `<figure><figcaption>${captionOf(comparison, figure)}</figcaption>\n${svg(comparison, figure)}</figure>`;
}

/** The same as a file of its own. */
export function picture(comparison: Comparison, figure: Figure): string {
  const style = `<style>text { font: 11px ui-monospace, monospace; fill: #1c2024 } .soft { fill: #60646c } .whisker { stroke: #1c2024 }
@media (prefers-color-scheme: dark) { text { fill: #edeef0 } .soft { fill: #b0b4ba } .whisker { stroke: #edeef0 } }</style>`;
  return `${svg(comparison, figure).replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ').replace('>', `>${style}`)}\n`;
}

export function captionOf(comparison: Comparison, figure: Figure): string {
  return `${FIGURES[figure].title}${scaleOf(comparison, figure).isLogarithmic ? ' (logarithmic)' : ''}`;
}

function scaleOf({ cells }: Comparison, figure: Figure) {
  const all = cells.flatMap(({ figures }) => [figures[figure].low, figures[figure].high]).filter((value) => value > 0);
  const largest = Math.max(1, ...all);
  const least = Math.min(largest, ...all);
  return { largest, from: least / 2, isLogarithmic: largest / least > 100 };
}

function svg(comparison: Comparison, figure: Figure): string {
  const { cells, loads } = comparison;
  const designs = [...new Set(cells.map(({ locking }) => locking))];
  const { largest, from, isLogarithmic } = scaleOf(comparison, figure);
  const room = WIDTH - LABELS - VALUES;
  const x = (value: number) => {
    if (value <= 0) return 0;
    return room * (isLogarithmic ? Math.log(value / from) / Math.log(largest / from) : value / largest);
  };
  let y = 4;
  const parts: string[] = [];
  for (const locking of designs) {
    const group = cells.filter((cell) => cell.locking === locking);
    parts.push(`<text x="${LABELS - 6}" y="${y + (group.length * BAR) / 2 + 4}" text-anchor="end">${locking}</text>`);
    for (const { load, figures } of group) {
      const { median, low, high } = figures[figure];
      const middle = y + BAR / 2;
      parts.push(
        `<rect x="${LABELS}" y="${y + 1}" width="${x(median).toFixed(1)}" height="${BAR - 2}" fill="${colour(loads, load)}"><title>${locking}, BQL load ${formatLoad(load)}: ${formatValue(figure, median)}</title></rect>`,
        `<line class="whisker" x1="${(LABELS + x(low)).toFixed(1)}" x2="${(LABELS + x(high)).toFixed(1)}" y1="${middle}" y2="${middle}"/>`,
      );
      y += BAR;
    }
    const heaviest = group.at(-1);
    if (heaviest) {
      const text = formatValue(figure, heaviest.figures[figure].median);
      parts.push(`<text class="soft" x="${WIDTH}" y="${y - 1}" text-anchor="end">${text}</text>`);
    }
    y += GAP;
  }
  const legend = loads.map((load, i) => {
    const at = LABELS + i * 70;
    return `<rect x="${at}" y="${y}" width="8" height="8" fill="${colour(loads, load)}"/><text class="soft" x="${at + 12}" y="${y + 8}">${formatLoad(load)}</text>`;
  });
  const { title } = FIGURES[figure];
  return `<svg viewBox="0 0 ${WIDTH} ${y + 14}" role="img" aria-label="${title} by design and BQL load; the table below has the same figures">${parts.join('')}<text class="soft" x="${LABELS - 6}" y="${y + 8}" text-anchor="end">BQL load</text>${legend.join('')}</svg>`;
}

function colour(loads: readonly number[], load: number): string {
  return COLOURS[loads.indexOf(load) % COLOURS.length];
}
