import { escapeHtml } from './documents.js';

const LANE = 240;
const ROW = 34;
const TOP = 40;

interface Line {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly kind: 'call' | 'blocked' | 'note';
}

/**
 * A Mermaid sequence diagram as SVG: participants, messages and notes, which is what this project draws. Undefined for any
 * other diagram: it is shown as text.
 */
export function drawSequence(source: string): string | undefined {
  const lines = source.split('\n').map((line) => line.trim());
  if (lines.shift() !== 'sequenceDiagram') return undefined;
  const lanes = new Map<string, string>();
  const drawn: Line[] = [];
  for (const line of lines) {
    const participant = /^(?:participant|actor) (\w+)(?: as (.+))?$/.exec(line);
    const message = /^(\w+)\s*(--?(?:>>?|x|\)))\s*(\w+)\s*: ?(.*)$/.exec(line);
    const note = /^Note (?:over|left of|right of) (\w+)(?:, ?(\w+))?: ?(.*)$/i.exec(line);
    if (participant) lanes.set(participant[1], participant[2] ?? participant[1]);
    else if (message) drawn.push(messageOf(message));
    else if (note) drawn.push({ from: note[1], to: note[2] ?? note[1], text: note[3], kind: 'note' });
    else if (line !== '' && !line.startsWith('%%') && line !== 'autonumber') return undefined;
  }
  for (const { from, to } of drawn) for (const name of [from, to]) if (!lanes.has(name)) lanes.set(name, name);
  return lanes.size === 0 ? undefined : draw([...lanes], drawn);
}

function messageOf([, from, arrow, to, text]: RegExpExecArray): Line {
  return { from, to, text, kind: arrow.endsWith('x') ? 'blocked' : 'call' };
}

function draw(lanes: readonly (readonly [string, string])[], lines: readonly Line[]): string {
  const x = (name: string) => LANE / 2 + lanes.findIndex(([id]) => id === name) * LANE;
  const height = TOP + lines.length * ROW + 16;
  const heads = lanes.map(
    ([id, name]) =>
      `<line class="lifeline" x1="${x(id)}" y1="${TOP - 8}" x2="${x(id)}" y2="${height}"/>` +
      `<text class="lane" x="${x(id)}" y="20" text-anchor="middle">${escapeHtml(name)}</text>`,
  );
  const rows = lines.map((line, index) => drawLine(line, x(line.from), x(line.to), TOP + index * ROW + 20));
  const label = lines.map(({ text }) => text).join('; ');
  return (
    `<div class="scroll" tabindex="0" role="region" aria-label="Diagram">` +
    `<svg class="sequence" role="img" aria-label="${escapeHtml(label)}" width="${lanes.length * LANE}" height="${height}" ` +
    `viewBox="0 0 ${lanes.length * LANE} ${height}">${heads.join('')}${rows.join('')}</svg></div>\n`
  );
}

function drawLine({ text, kind }: Line, from: number, to: number, y: number): string {
  const label = (at: number) => `<text x="${at}" y="${y - 5}" text-anchor="middle">${escapeHtml(text)}</text>`;
  if (kind === 'note') {
    const [left, right] = [Math.min(from, to) - 80, Math.max(from, to) + 80];
    return `<rect class="note" x="${left}" y="${y - 20}" width="${right - left}" height="22"/>${label((left + right) / 2)}`;
  }
  if (from === to)
    return `<circle class="step" cx="${from}" cy="${y - 9}" r="3"/>${label(from)
      .replace('middle', 'start')
      .replace(`x="${from}"`, `x="${from + 10}"`)}`;
  const tip = to > from ? -7 : 7;
  const end = kind === 'blocked' ? `M${to + tip} ${y - 4} l8 8 m0 -8 l-8 8` : `M${to} ${y} l${tip} -3.5 v7 z`;
  return `<path class="${kind}" d="M${from} ${y} H${to}"/><path class="${kind} tip" d="${end}"/>${label((from + to) / 2)}`;
}
