import { TICK, TIMEOUT } from './system.js';

/**
 * A schedule as a string: the threads and their numbers of operations, in order. Threads are letters (`a` the main
 * loop, then the vCPUs), capitals for a wait that times out, `+` for an advance of the clock: `3a2bA+`.
 */
export function encodeSchedule(transitions: readonly number[]): string {
  let text = '';
  for (let i = 0; i < transitions.length; ) {
    let end = i;
    while (end < transitions.length && transitions[end] === transitions[i]) end++;
    text += (end - i > 1 ? end - i : '') + letter(transitions[i]);
    i = end;
  }
  return text;
}

/** Undefined if the text is not a schedule. */
export function decodeSchedule(text: string): number[] | undefined {
  if (!/^(\d*[a-zA-Z+])*$/.test(text)) return undefined;
  const transitions: number[] = [];
  for (const [, count, name] of text.matchAll(/(\d*)([a-zA-Z+])/g)) {
    for (let i = 0; i < Number(count || 1); i++) transitions.push(transitionOf(name));
  }
  return transitions;
}

function letter(transition: number): string {
  if (transition === TICK) return '+';
  return String.fromCharCode((transition & TIMEOUT ? 65 : 97) + (transition & ~TIMEOUT));
}

function transitionOf(name: string): number {
  if (name === '+') return TICK;
  return name >= 'a' ? name.charCodeAt(0) - 97 : (name.charCodeAt(0) - 65) | TIMEOUT;
}

/** Word addresses, in ascending order, as `1030-1033,1040`. */
export function encodeWords(words: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < words.length; ) {
    const first = words[i];
    while (i + 1 < words.length && words[i + 1] === words[i] + 1) i++;
    parts.push(words[i] === first ? `${first}` : `${first}-${words[i]}`);
    i++;
  }
  return parts.join();
}

/** Undefined if the text is not a list of words. */
export function decodeWords(text: string): number[] | undefined {
  if (!/^\d{1,6}(-\d{1,6})?(,\d{1,6}(-\d{1,6})?)*$/.test(text)) return undefined;
  return text.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  });
}
