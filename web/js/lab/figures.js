// @ts-check
import { grouped, short, time } from '../kit/format.js';

/**
 * The figures of one machine, as the API returned them.
 * @param {any} counts `GET …/locks/contention`
 * @param {any} locks `GET …/locks`
 */
export function figuresOf(counts, { deferred }) {
  const { at, accesses, accessTime, deadlocks, sites } = counts;
  /** @param {(site: any) => number} figure */
  const sum = (figure) =>
    sites.reduce((/** @type {number} */ total, /** @type {any} */ site) => total + figure(site), 0);
  return {
    at,
    accesses: accesses.read + accesses.write,
    readP99: accessTime.read.p99,
    writeP99: accessTime.write.p99,
    waited: sum(({ waited }) => waited),
    waiting: sum(({ waiting }) => waiting.threads),
    deadlocks: deadlocks.broken + deadlocks.hung,
    stale: deferred.late + deferred.inverted,
  };
}

/** @typedef {ReturnType<typeof figuresOf>} Figures */

/** What is shown, each with where it comes from. `before`: the figures a second earlier. */
export const FIGURES = /** @type {const} */ ([
  {
    name: 'accesses',
    title: 'accesses',
    from: 'contention: accesses.read + accesses.write',
    show: (/** @type {Figures} */ now) => grouped(now.accesses),
  },
  {
    name: 'rate',
    title: 'accesses/s',
    from: 'the difference of two answers',
    show: rate(
      (figures) => figures.accesses,
      (perSecond) => short(perSecond),
    ),
  },
  {
    name: 'read-p99',
    title: 'p99 of a read, at most',
    from: 'contention: accessTime.read.p99',
    show: (/** @type {Figures} */ now) => (now.readP99 === null ? '–' : time(now.readP99)),
  },
  {
    name: 'write-p99',
    title: 'p99 of a write, at most',
    from: 'contention: accessTime.write.p99',
    show: (/** @type {Figures} */ now) => (now.writeP99 === null ? '–' : time(now.writeP99)),
  },
  {
    name: 'waited',
    title: 'waiting per second',
    from: 'contention: sites[].waited, difference',
    show: rate(
      (figures) => figures.waited,
      (perSecond) => time(Math.max(0, perSecond)),
    ),
  },
  {
    name: 'waiting',
    title: 'threads that wait now',
    from: 'contention: sites[].waiting.threads',
    show: (/** @type {Figures} */ now) => String(now.waiting),
  },
  {
    name: 'deadlocks',
    title: 'deadlocks',
    from: 'contention: deadlocks.broken + deadlocks.hung',
    show: (/** @type {Figures} */ now) => grouped(now.deadlocks),
  },
  {
    name: 'stale',
    title: 'stale updates',
    from: 'locks: deferred.late + deferred.inverted',
    show: (/** @type {Figures} */ now) => grouped(now.stale),
  },
]);

/**
 * @param {(figures: Figures) => number} figure
 * @param {(perSecond: number) => string} format
 */
function rate(figure, format) {
  return (/** @type {Figures} */ now, /** @type {Figures | undefined} */ before) =>
    before && now.at > before.at ? format((figure(now) - figure(before)) / ((now.at - before.at) / 1e9)) : '–';
}
