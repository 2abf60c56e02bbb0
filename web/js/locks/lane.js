// @ts-check
import { h } from '../kit/dom.js';
import { colour, threadColour } from '../kit/palette.js';

const HEIGHT = 22;
const OWNER = { top: 1, height: 12 };
const WAITERS = { top: 15, height: 6 };
/** Share of the lane by which an arrow key moves. */
const STEP = 0.02;
/** Strokes are no wider than this, so that a pause in the looks shows as a pause. */
const WIDEST_MS = 120;

/** A band of looks at one lock, newest at the right. What it shows in figures stands beside it in the table. */
export class Lane {
  #width = 0;
  /** @type {readonly import('./timeline.js').Look[]} */
  #looks = [];

  /** ms that are shown. */
  #window = 1;

  /** Where the arrow keys are, as a share from the left. */
  #place = 1;

  /**
   * @param {string} lock
   * @param {(text: string) => void} onHover called with what the lane shows under the pointer, or where the arrow keys are
   */
  constructor(lock, onHover) {
    this.onHover = onHover;
    this.canvas = h('canvas', { 'aria-hidden': 'true' });
    this.element = h(
      'div',
      {
        class: 'lane-canvas',
        tabindex: 0,
        role: 'slider',
        'aria-label': `${lock} over time`,
        'aria-valuemin': 0,
        'aria-valuemax': 100,
        'aria-valuenow': 100,
      },
      this.canvas,
    );
    this.element.addEventListener('pointermove', ({ offsetX }) => this.onHover(this.#textAt(offsetX)));
    this.element.addEventListener('pointerleave', () => this.onHover(''));
    this.element.addEventListener('focus', () => this.#go(this.#place));
    this.element.addEventListener('blur', () => this.onHover(''));
    this.element.addEventListener('keydown', (event) => this.#onKey(event));
    new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect.width)).observe(this.element);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const moves = /** @type {{ [key: string]: number }} */ ({
      ArrowLeft: this.#place - STEP,
      ArrowRight: this.#place + STEP,
      Home: 0,
      End: 1,
    });
    if (!(event.key in moves) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#go(moves[event.key]);
  }

  /** @param {number} place */
  #go(place) {
    this.#place = Math.min(1, Math.max(0, place));
    const text = this.#textAt(this.#place * this.#width);
    this.element.setAttribute('aria-valuenow', String(Math.round(100 * this.#place)));
    this.element.setAttribute('aria-valuetext', text || 'no look');
    this.onHover(text);
    this.draw(this.#looks, performance.now(), this.#window);
  }

  /** @param {number} width */
  #resize(width) {
    this.#width = Math.floor(width);
    this.canvas.width = this.#width * devicePixelRatio;
    this.canvas.height = HEIGHT * devicePixelRatio;
    this.canvas.style.width = `${this.#width}px`;
    this.canvas.style.height = `${HEIGHT}px`;
    // A new size empties a canvas.
    this.draw(this.#looks, performance.now(), this.#window);
  }

  /** What a look says, by its place. @param {number} x */
  #textAt(x) {
    const age = ((this.#width - x) / this.#width) * this.#window;
    const at = performance.now() - age;
    const look = this.#looks.findLast((each) => each.at <= at && each.at > at - WIDEST_MS);
    if (!look) return '';
    const waiters = look.waiters.length > 0 ? `; ${look.waiters.join(', ')} waits` : '';
    return `−${(age / 1000).toFixed(1)} s: ${look.owner ? `${look.owner} holds` : 'free'}${waiters}`;
  }

  /**
   * @param {readonly import('./timeline.js').Look[]} looks
   * @param {number} now
   * @param {number} window ms that are shown
   */
  draw(looks, now, window) {
    this.#looks = looks;
    this.#window = window;
    const context = this.canvas.getContext('2d');
    if (!context || this.#width === 0) return;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.#width, HEIGHT);
    const free = colour('--sunken');
    /** @type {Map<string, string>} */
    const colours = new Map();
    const colourOf = (/** @type {string} */ thread) => {
      if (!colours.has(thread)) colours.set(thread, colour(threadColour(thread)));
      return /** @type {string} */ (colours.get(thread));
    };
    const scale = this.#width / window;
    for (const [index, { at, owner, waiters }] of looks.entries()) {
      const until = Math.min(looks[index + 1]?.at ?? now, at + WIDEST_MS);
      const x = this.#width - (now - at) * scale;
      const width = Math.max(1, (until - at) * scale);
      context.fillStyle = owner === null ? free : colourOf(owner);
      context.fillRect(x, OWNER.top, width, OWNER.height);
      const height = WAITERS.height / Math.max(1, waiters.length);
      for (const [place, thread] of waiters.entries()) {
        context.fillStyle = colourOf(thread);
        context.fillRect(x, WAITERS.top + place * height, width, height);
      }
    }
    if (document.activeElement !== this.element) return;
    context.fillStyle = colour('--text');
    context.fillRect(Math.min(this.#width - 1, this.#place * this.#width), 0, 1, HEIGHT);
  }
}
