// @ts-check
import { h, say } from '../kit/dom.js';

/** Results shown at a time. */
const MOST = 12;
/** Characters of a section around what was found. */
const AROUND = 60;

/** @typedef {{ path: string, page: string, heading: string, text: string }} Section */

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const input = /** @type {HTMLInputElement} */ (byId('search'));
const status = byId('search-status');
const list = byId('found');
/** @type {Promise<Section[]> | undefined} */
let sections;

/** All sections, read once. @returns {Promise<Section[]>} */
function read() {
  sections ??= fetch('/docs/search.json')
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
    .catch((error) => {
      sections = undefined;
      throw error;
    });
  return sections;
}

/** How well a section matches: all words must occur; headings count more. @param {Section} section @param {string[]} words */
function score({ page, heading, text }, words) {
  const [title, head, body] = [page, heading, text].map((each) => each.toLowerCase());
  let sum = 0;
  for (const word of words) {
    const found = (head.includes(word) ? 8 : 0) + (title.includes(word) ? 4 : 0) + (body.includes(word) ? 1 : 0);
    if (found === 0) return 0;
    sum += found;
  }
  return sum;
}

/** The text around the first word. @param {Section} section @param {string[]} words */
function excerpt({ text }, [word]) {
  const at = Math.max(0, text.toLowerCase().indexOf(word));
  const from = Math.max(0, at - AROUND);
  return `${from > 0 ? '…' : ''}${text.slice(from, at + AROUND)}${at + AROUND < text.length ? '…' : ''}`;
}

async function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) {
    list.replaceChildren();
    say(status, '');
    return;
  }
  let all;
  try {
    all = await read();
  } catch {
    say(status, 'The server does not answer.');
    return;
  }
  const found = all
    .map((section) => ({ section, score: score(section, words) }))
    .filter((each) => each.score > 0)
    .sort((a, b) => b.score - a.score);
  say(status, found.length === 0 ? 'No section matches.' : `${found.length} sections match.`);
  list.replaceChildren(
    ...found
      .slice(0, MOST)
      .map(({ section }) =>
        h(
          'li',
          {},
          h('a', { href: section.path }, h('b', {}, section.heading), ` ${section.page}`),
          h('p', { class: 'note' }, excerpt(section, words)),
        ),
      ),
  );
}

input.addEventListener('input', search);
input.addEventListener('keydown', (event) => {
  const first = list.querySelector('a');
  if (event.key === 'Enter' && first) first.click();
});
// On a narrow screen the document comes first.
if (matchMedia('(max-width: 760px)').matches) document.querySelector('details.contents')?.removeAttribute('open');
