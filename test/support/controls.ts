import type { BrowserPage } from './chromium.js';

/** What the keyboard can operate. */
export const OPERABLE = [
  'a[href]',
  'button:enabled',
  'input:enabled:not([type="hidden"])',
  'select:enabled',
  'textarea:enabled',
  'summary',
  '[tabindex="0"]',
].join();

/** Of the controls of a page, each as its HTML if not said otherwise. */
export interface WatchedControls {
  /** With a listener for a pointer, but out of reach of the focus; a picture has its text instead. */
  pointerOnly(): Promise<string[]>;
  /** Removed before the focus came to any: their texts. */
  removed(): Promise<string[]>;
  /** The focus came to the same control again. */
  isRound(): Promise<boolean>;
  /** There from the start on, and never focused. */
  missed(): Promise<string[]>;
  /** They look the same with the focus and without. */
  unmarked(): Promise<string[]>;
}

/** Runs in the page. */
const WATCH = `(() => {
  const operable = ${JSON.stringify(OPERABLE)};
  const controls = () =>
    [...document.querySelectorAll(operable)].filter((each) => each.tabIndex >= 0 && each.checkVisibility({ visibilityProperty: true }));
  const text = (each) => each.outerHTML.slice(0, 160);
  const looks = (each) => {
    const style = getComputedStyle(each);
    return [style.outlineStyle, style.outlineWidth, style.boxShadow, style.borderColor, style.backgroundColor, style.transform, style.top].join();
  };
  document.activeElement?.blur();
  const start = controls();
  const plain = new Map(start.map((each) => [each, looks(each)]));
  const seen = new Set();
  const unmarked = new Set();
  const removed = new Set();
  let rounds = 0;
  new MutationObserver((records) => {
    for (const { removedNodes } of records)
      for (const node of removedNodes)
        if (node instanceof Element && seen.size === 0)
          for (const each of [node, ...node.querySelectorAll(operable)]) if (plain.has(each)) removed.add(each);
  }).observe(document.body, { childList: true, subtree: true });
  addEventListener('focusin', ({ target }) => {
    if (target === start[0] && seen.has(target)) rounds++;
    seen.add(target);
    if (plain.has(target) && looks(target) === plain.get(target)) unmarked.add(target);
  });
  globalThis.watched = {
    pointerOnly: () => [...(globalThis.pointed ?? [])].filter((each) => each.isConnected && !each.matches(operable + ',label,form,[role="img"] *')).map(text),
    removed: () => [...removed].map((each) => each.textContent.trim()),
    isRound: () => rounds > 0,
    missed: () => start.filter((each) => each.isConnected && controls().includes(each) && !seen.has(each) && !(each.type === 'radio')).map(text),
    unmarked: () => [...unmarked].map(text),
  };
})()`;

/** To run before the scripts of a page: remembers which elements listen to a pointer. */
const RECORD = `(() => {
  const pointed = (globalThis.pointed = new Set());
  const { addEventListener } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (name, ...rest) {
    if (/^(click|dblclick|mouse|pointer|touch)/.test(name) && this instanceof Element) pointed.add(this);
    return addEventListener.call(this, name, ...rest);
  };
})()`;

/** Records listeners in all pages that are opened from here on. */
export async function recordPointers({ page }: BrowserPage): Promise<void> {
  await page.addInitScript(RECORD);
}

/** Watches the controls that a page has now. The focus is at its start then. */
export async function watchControls(page: BrowserPage['page']): Promise<WatchedControls> {
  await page.evaluate(WATCH);
  const ask = <T>(what: keyof WatchedControls) => page.evaluate(`globalThis.watched.${what}()`) as Promise<T>;
  return {
    pointerOnly: () => ask('pointerOnly'),
    removed: () => ask('removed'),
    isRound: () => ask('isRound'),
    missed: () => ask('missed'),
    unmarked: () => ask('unmarked'),
  };
}
