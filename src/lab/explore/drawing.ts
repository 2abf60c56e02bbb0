import type { Counterexample } from './finding.js';
import type { Replayed } from './replay.js';
import type { TimelineEntry } from './timeline.js';

const WIDTH = 58;

/**
 * A counterexample with one column per thread, in time order: operations on locks and on the field of the finding (or
 * on all racy fields), each with its source line and the locks that the thread then holds.
 */
export function drawColumns(finding: Counterexample, { threads, timeline }: Replayed): string {
  const lines = [threads.map((name) => name.padEnd(WIDTH)).join('│ '), threads.map(() => '─'.repeat(WIDTH)).join('┼─')];
  let skipped = 0;
  const put = (thread: number, text: string) => {
    lines.push(threads.map((_, column) => (column === thread ? text : '').padEnd(WIDTH).slice(0, WIDTH)).join('│ '));
  };
  for (const entry of timeline) {
    const text = textOf(entry, finding);
    if (!text) {
      skipped++;
      continue;
    }
    put(entry.thread, text);
    for (const source of entry.source) put(entry.thread, `    ${source}`);
  }
  lines.push(`(${timeline.length - skipped} of ${timeline.length} accesses shown)`);
  return lines.map((line) => line.trimEnd()).join('\n');
}

/** The same as a Mermaid sequence diagram. */
export function drawMermaid(finding: Counterexample, { threads, timeline }: Replayed): string {
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
function textOf(entry: TimelineEntry, { word }: Counterexample): string | undefined {
  const holds = entry.holds.length ? `  [${entry.holds.join(' ')}]` : '';
  if (entry.action === 'stuck') return `✗ waits for ${entry.word}${holds}`;
  if (entry.lock) return `${entry.lock} ${entry.word}${holds}`;
  if (entry.plain && (entry.word === word || (entry.racy && !word))) {
    return `${entry.action.startsWith('set') ? '★ writes' : '★ reads'} ${entry.word} ${entry.value}${holds}`;
  }
  return undefined;
}
