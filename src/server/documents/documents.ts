import { readdir, readFile } from 'node:fs/promises';

const root = new URL('../../../../', import.meta.url);

/** Folders of documents in the package. */
const FOLDERS = ['docs/', 'docs/decisions/'];
const AT_ROOT = ['README.md', 'CHANGELOG.md'];

/** Beside the documents: their pictures, figures, and texts to copy. */
export const ATTACHMENT = /^\/docs\/(?:images\/[\w-]+\.(?:png|svg)|[\w-]+\.(?:md|txt)|results\.json)$/;

export interface Document {
  /** Its file in the package, as in `docs/locks.md`. */
  readonly file: string;
  /** Where the server serves it, as in `/docs/locks`. */
  readonly path: string;
  readonly title: string;
  readonly text: string;
}

/** All documents, README first, each folder by title. */
export async function readDocuments(): Promise<Document[]> {
  const names = await Promise.all(FOLDERS.map((folder) => readdir(new URL(folder, root))));
  const files = [...AT_ROOT, ...names.flatMap((each, index) => each.map((name) => `${FOLDERS[index]}${name}`))];
  const documents = await Promise.all(files.filter((file) => file.endsWith('.md')).map(readDocument));
  const rank = ({ file }: Document) => (file === 'README.md' ? 0 : file.includes('decisions/') ? 2 : 1);
  return documents.sort((a, b) => rank(a) - rank(b) || compare(a, b));
}

/** Decisions are numbered by their file names. */
function compare(a: Document, b: Document): number {
  return a.file.includes('decisions/') ? a.file.localeCompare(b.file) : a.title.localeCompare(b.title);
}

async function readDocument(file: string): Promise<Document> {
  const text = await readFile(new URL(file, root), 'utf8');
  return { file, path: pathOf(file), title: /^# (.+)$/m.exec(text)?.[1].replaceAll('`', '') ?? file, text };
}

/** `docs/locks.md` is at `/docs/locks`, and `docs/decisions/README.md` at `/docs/decisions`. */
function pathOf(file: string): string {
  const name = file.replace(/^docs\//, '').replace(/\.md$/, '');
  if (AT_ROOT.includes(file)) return `/docs/${name.toLowerCase()}`;
  return `/docs/${name.replace(/\/README$/, '')}`;
}

/** Where a link in a document leads on this server; undefined for files that the server does not serve. */
export function targetOf(href: string, from: Document, documents: readonly Document[]): string | undefined {
  if (/^(?:[a-z]+:|\/|#)/i.test(href)) return href;
  const { pathname, hash } = new URL(href, `file:///${from.file}`);
  const file = pathname.slice(1).replace(/^docs\/comparison\.html$/, 'docs/comparison.md');
  const document = documents.find((each) => each.file === file);
  if (document) return document.path + hash;
  return ATTACHMENT.test(`/${file}`) ? `/${file}` : undefined;
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
