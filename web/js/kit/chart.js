// @ts-check
import uPlot from '/page/uplot/uPlot.esm.js';
import { h } from './dom.js';
import { short } from './format.js';
import { colour, onScheme } from './palette.js';

/** Seconds that are shown at most and at least: the axis fits what there is. */
const WINDOW = 120;
const LEAST = 10;

/** @typedef {{ name: string, colour: string }} Line  name of a series, and name of its colour */

/** Rates over the last two minutes, one line per name, with a legend of buttons. */
export class Chart {
  /** @type {{ at: number, values: (number | null)[] }[]} */
  #points = [];

  /**
   * @param {Line[]} lines
   * @param {{ label: string, unit: string, height?: number }} options
   */
  constructor(lines, { label, unit, height = 170 }) {
    this.lines = lines;
    this.height = height;
    this.host = h('div', { class: 'chart', role: 'img', 'aria-label': label });
    this.legend = h('div', { class: 'legend', role: 'group', 'aria-label': 'Lines shown' });
    this.element = h('div', {}, this.host, this.legend);
    this.plot = new uPlot(this.#options(unit), [[], ...lines.map(() => [])], this.host);
    this.legend.append(...lines.map((line, index) => this.#button(line, index + 1)));
    new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect.width)).observe(this.host);
    onScheme(() => this.plot.redraw());
  }

  /** @param {number[]} values one per line, in order */
  add(values) {
    const at = performance.now() / 1000;
    this.#points.push({ at, values });
    this.#points = this.#points.filter((point) => point.at >= at - WINDOW);
    this.draw();
  }

  /** Seconds from the oldest point to now. */
  get #span() {
    const oldest = this.#points[0]?.at ?? Number.POSITIVE_INFINITY;
    return Math.min(WINDOW, Math.max(LEAST, performance.now() / 1000 - oldest));
  }

  clear() {
    this.#points = [];
    this.draw();
  }

  draw() {
    const now = performance.now() / 1000;
    const ages = this.#points.map(({ at }) => at - now);
    const data = this.lines.map((_, index) => this.#points.map(({ values }) => values[index] ?? null));
    this.plot.setData([ages, ...data], true);
  }

  /** @param {string} unit */
  #options(unit) {
    const font = `11px ${colour('--sans')}`;
    const axis = () => ({
      font,
      stroke: () => colour('--muted'),
      grid: { stroke: () => colour('--line'), width: 1 },
      ticks: { show: false },
    });
    return {
      width: 300,
      height: this.height,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 16, 0, 0],
      scales: {
        x: { time: false, range: () => [-this.#span, 0] },
        y: {
          /** @param {any} _plot @param {number} _min @param {number} max */
          range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)],
        },
      },
      axes: [
        {
          ...axis(),
          size: 24,
          /** @param {any} _plot @param {number[]} ages */
          values: (_plot, ages) => ages.map((age) => (age === 0 ? 'now' : `−${-age} s`)),
        },
        {
          ...axis(),
          size: 58,
          /** @param {any} _plot @param {number[]} values */
          values: (_plot, values) => values.map((value) => `${short(value)}${unit}`),
        },
      ],
      series: [
        {},
        ...this.lines.map((line) => ({
          label: line.name,
          stroke: () => colour(line.colour),
          width: 1.5,
          points: { show: false },
        })),
      ],
    };
  }

  /** @param {Line} line @param {number} series */
  #button(line, series) {
    const swatch = h('span', { class: 'swatch' });
    swatch.style.background = `var(${line.colour})`;
    const button = h('button', { type: 'button', 'aria-pressed': 'true' }, swatch, line.name);
    button.addEventListener('click', () => {
      const show = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(show));
      this.plot.setSeries(series, { show });
    });
    return button;
  }

  /** @param {number} width */
  #resize(width) {
    if (width > 0) this.plot.setSize({ width: Math.floor(width), height: this.height });
  }
}
