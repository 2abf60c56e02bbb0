import { readFileSync } from 'node:fs';

const PAGE = new URL('../../../docs/answer.md', import.meta.url);
const WIDTH = 72;
/** The mark of an item of a list. */
const ITEM = /^(?:- |\d+\. )/;

/** `docs/answer.txt`: `docs/answer.md` as plain text for a mail, without links into the repository. */
export function answerText(): string {
  const links: string[] = [];
  const blocks = blocksOf(readFileSync(PAGE, 'utf8'));
  const text = blocks
    .filter((block) => !block.includes('(answer.txt)'))
    .map((block) => blockAsText(block, links))
    .join('\n\n');
  const notes = links.map((link, index) => `[${index + 1}] ${link}`).join('\n');
  return `${text}\n\n${notes}\n`;
}

/** Paragraphs, lists, tables, headings and code blocks. */
function blocksOf(markdown: string): string[] {
  const blocks: string[] = [];
  let isCode = false;
  for (const part of markdown.trim().split('\n\n')) {
    if (isCode) blocks[blocks.length - 1] += `\n\n${part}`;
    else blocks.push(part);
    if ((part.match(/^```/gm) ?? []).length % 2 === 1) isCode = !isCode;
  }
  return blocks;
}

function blockAsText(block: string, links: string[]): string {
  if (block.startsWith('```')) return codeAsText(block);
  if (block.startsWith('|')) return tableAsText(block);
  const [, marks, title = ''] = /^(#+) (.*)$/.exec(block) ?? [];
  if (marks) {
    const text = plain(title, links);
    return `${text}\n${(marks === '#' ? '=' : '-').repeat(text.length)}`;
  }
  if (!ITEM.test(block)) return filled(plain(block, links), '', '');
  return block
    .split(/\n(?=- |\d+\. )/)
    .map((item) => itemAsText(item, links))
    .join('\n');
}

function itemAsText(item: string, links: string[]): string {
  const [mark] = ITEM.exec(item) as RegExpExecArray;
  return filled(plain(item.slice(mark.length), links), mark, ' '.repeat(mark.length));
}

function codeAsText(block: string): string {
  const lines = block.split('\n').slice(1, -1);
  return lines
    .map((line) => `  ${line}`.trimEnd())
    .flatMap(continued)
    .join('\n');
}

/** A command line as a shell continues it. */
function continued(line: string): string[] {
  if (line.length <= WIDTH) return [line];
  const space = line.lastIndexOf(' --', WIDTH - 2);
  if (line.slice(0, space).trim() === '')
    throw new Error(`docs/answer.md: a line of code is too long for a mail: ${line}`);
  return [`${line.slice(0, space)} \\`, ...continued(`   ${line.slice(space)}`)];
}

function tableAsText(block: string): string {
  const rows = block
    .split('\n')
    .filter((line) => !/^\|[ |-]+$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => plain(cell.trim(), [])),
    );
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd())
    .join('\n');
}

/** Without marks. A link to the web becomes a number; a link into the repository its text. */
function plain(text: string, links: string[]): string {
  const numbered = text.replace(/\[([^\]]+)\]\(([^)]+)\)/g, (_, label: string, target: string) => {
    if (!target.startsWith('http')) return label;
    links.push(target);
    return `${label} [${links.length}]`;
  });
  return numbered
    .replace(/\*\*([^*]+)\*\*/g, '$1')
    .replace(/`([^`]+)`/g, '$1')
    .replace(/(^|[\s(])_([^_]+)_(?=[\s.,:)])/g, '$1$2');
}

function filled(text: string, first: string, rest: string): string {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(/\s+/)) {
    const longer = line === first || line === rest ? line + word : `${line} ${word}`;
    if (longer.length <= WIDTH) line = longer;
    else {
      lines.push(line);
      line = rest + word;
    }
  }
  return [...lines, line].join('\n');
}
