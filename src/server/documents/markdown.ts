import { Marked, type Tokens } from 'marked';
import { type Document, escapeHtml, targetOf } from './documents.js';
import { drawSequence } from './sequence-diagram.js';

/** A heading and the text below it, for the search. */
export interface Section {
  readonly path: string;
  readonly page: string;
  readonly heading: string;
  readonly text: string;
}

/** The document as HTML without scripts and styles; HTML in it is shown as text. */
export function renderDocument(document: Document, documents: readonly Document[]): string {
  const ids = new Ids();
  let tables = 0;
  const marked = new Marked({
    gfm: true,
    renderer: {
      html: ({ text }) => (text.startsWith('<!--') ? '' : escapeHtml(text)),
      heading({ tokens, depth, text }) {
        return `<h${depth} id="${ids.next(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      code: renderCode,
      table(token) {
        const name = `Table ${++tables}`;
        return `<div class="scroll" tabindex="0" role="region" aria-label="${name}">${renderTable(token, (cell) => this.parser.parseInline(cell.tokens))}</div>\n`;
      },
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens);
        const target = targetOf(href, document, documents);
        return target === undefined ? text : `<a href="${escapeHtml(target)}">${text}</a>`;
      },
      image({ href, text }) {
        const target = targetOf(href, document, documents) ?? href;
        return `<img src="${escapeHtml(target)}" alt="${escapeHtml(text)}" loading="lazy">`;
      },
    },
  });
  return marked.parse(document.text, { async: false });
}

function renderCode({ text, lang = '' }: Tokens.Code): string {
  const drawing = lang === 'mermaid' ? drawSequence(text) : undefined;
  if (drawing !== undefined) return drawing;
  return `<pre tabindex="0"><code>${escapeHtml(text)}\n</code></pre>\n`;
}

function renderTable({ header, rows }: Tokens.Table, inline: (cell: Tokens.TableCell) => string): string {
  const row = (cells: Tokens.TableCell[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}${cell.align ? ` class="${cell.align}"` : ''}>${inline(cell)}</${tag}>`).join('')}</tr>`;
  return `<table><thead>${row(header, 'th')}</thead><tbody>${rows.map((cells) => row(cells, 'td')).join('')}</tbody></table>`;
}

/** The sections of a document: plain text, code included. */
export function sectionsOf({ path, title, text }: Document): Section[] {
  const ids = new Ids();
  const parts = text.split(/^(?=#{1,6} )/m).filter((part) => part.trim() !== '');
  return parts.map((part) => {
    const heading = /^#{1,6} (.+)/.exec(part)?.[1] ?? title;
    const body = part.replace(/^#{1,6} .+\n?/, '').replaceAll(/[`*_|]|-{3,}/g, ' ');
    return {
      path: `${path}#${ids.next(heading)}`,
      page: title,
      heading: heading.replaceAll('`', ''),
      text: body
        .replace(/\]\([^)]*\)/g, '')
        .replaceAll('[', '')
        .replace(/\s+/g, ' ')
        .trim(),
    };
  });
}

/** Anchors as GitHub makes them. */
class Ids {
  readonly #counts = new Map<string, number>();

  next(heading: string): string {
    const id = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-');
    const count = this.#counts.get(id) ?? 0;
    this.#counts.set(id, count + 1);
    return count === 0 ? id : `${id}-${count}`;
  }
}
