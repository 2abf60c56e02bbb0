// @ts-check
/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Makes an element. Keys that begin with `on` are listeners; true and false set and leave out an attribute.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {{ [name: string]: any }} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  assign(element, attributes);
  element.append(...present(children));
  return element;
}

/**
 * The same for drawings.
 * @param {string} tag
 * @param {{ [name: string]: any }} [attributes]
 * @param {...Child} children
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  assign(element, attributes);
  element.append(...present(children));
  return element;
}

/**
 * @param {Element} element
 * @param {{ [name: string]: any }} attributes
 */
function assign(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, String(value));
  }
}

/** @param {Child[]} children */
function present(children) {
  return /** @type {(Node | string)[]} */ (
    children
      .filter((child) => child !== null && child !== undefined && child !== false)
      .map((child) => (typeof child === 'number' ? String(child) : child))
  );
}

/**
 * Sets a text only if it is another one, so that selections and live regions are left in peace.
 * @param {Node} node
 * @param {string | number} text
 */
export function say(node, text) {
  if (node.textContent !== String(text)) node.textContent = String(text);
}

/**
 * A titled part of a view.
 * @param {string} title
 * @param {string} note what the figures are, and what they are not
 * @param {...Child} children
 */
export function panel(title, note, ...children) {
  const id = `panel-${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
  return h(
    'section',
    { class: 'panel', 'aria-labelledby': id },
    h('header', {}, h('h3', { id }, title), note && h('p', { class: 'note' }, note)),
    ...children,
  );
}

/**
 * The head of a table. A column is a text, or a text and a class.
 * @param {(string | [string, string])[]} columns
 */
export function head(columns) {
  const cells = columns.map((column) => {
    const [text, name] = typeof column === 'string' ? [column, ''] : column;
    return h('th', { scope: 'col', class: name || undefined }, text);
  });
  return h('thead', {}, h('tr', {}, ...cells));
}
