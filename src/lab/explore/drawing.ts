import type { Finding } from './finding.js';
import type { Replayed } from './replay.js';
import type { TimelineEntry } from './timeline.js';

/** Columns of the whole drawing: a terminal of 80 has room for the indentation of the caller. */
const WIDTH = 76;
const INDENT = 2;

/**
 * A counterexample with one column per thread that does something in it, in time order: operations on locks and on the
 * field of the finding (or on all racy fields), each with its source line and the locks that the thread then holds.
 */
export function drawColumns(finding: Finding, { threads, timeline }: Replayed): string {
  const shown = timeline.flatMap((entry) => {
    const text = textOf(entry, finding);
    return text ? [{ entry, text }] : [];
  });
  const active = threads
    .map((_, thread) => thread)
    .filter((thread) => shown.some(({ entry }) => entry.thread === thread));
  const width = Math.floor((WIDTH - 2 * (active.length - 1)) / active.length);
  const row = (cells: readonly string[]) =>
    cells
      .map((cell) => cell.padEnd(width))
      .join('│ ')
      .trimEnd();
  const lines = [row(active.map((thread) => threads[thread])), active.map(() => '─'.repeat(width)).join('┼─')];
  for (const { entry, text } of shown) {
    const sources = entry.source.slice(0, 3).map((source) => `${' '.repeat(INDENT)}${source.replace(/^\S*\//, '')}`);
    for (const line of [text, ...sources].flatMap((each) => folded(each, width))) {
      lines.push(row(active.map((thread) => (thread === entry.thread ? line : ''))));
    }
  }
  lines.push(`(${shown.length} of ${timeline.length} accesses shown)`);
  return lines.join('\n');
}

/** A text in lines of a width, broken at spaces where there are some. */
function folded(text: string, width: number): string[] {
  if (text.length <= width) return [text];
  const space = text.lastIndexOf(' ', width);
  const indent = /^ */.exec(text)?.[0].length ?? 0;
  const end = space > indent ? space : width;
  return [text.slice(0, end).trimEnd(), ...folded(' '.repeat(indent + INDENT) + text.slice(end).trimStart(), width)];
}

/** The same as a Mermaid sequence diagram. */
export function drawMermaid(finding: Finding, { threads, timeline }: Replayed): string {
  const lines = ['sequenceDiagram'];
  for (const [thread, name] of threads.entries()) lines.push(`  participant T${thread} as ${name}`);
  for (const entry of timeline) {
    const text = textOf(entry, finding);
    if (!text) continue;
    const [where] = entry.source;
    lines.push(`  Note over T${entry.thread}: ${text}${where ? `<br/>${where.replace(/#/g, '')}` : ''}`);
  }
  return lines.join('\n');
}

/** Undefined for entries that are not drawn. */
function textOf(entry: TimelineEntry, { word }: Finding): string | undefined {
  if (entry.isPending && entry.action !== 'stuck') return undefined;
  const holds = entry.holds.length ? `  [${entry.holds.join(' ')}]` : '';
  if (entry.action === 'stuck') return `✗ waits for ${entry.word}${holds}`;
  if (entry.lock) return `${entry.lock} ${entry.word}${holds}`;
  if (entry.plain && (entry.word === word || (entry.racy && !word))) {
    return `${entry.action.startsWith('set') ? '★ writes' : '★ reads'} ${entry.word} ${entry.value}${holds}`;
  }
  return undefined;
}
