import { type Document, escapeHtml, readDocuments } from './documents.js';
import { renderDocument, sectionsOf } from './markdown.js';

/** Pages of the documents: HTML by path, rendered once. */
export class DocumentPages {
  readonly documents: readonly Document[];

  private constructor(documents: readonly Document[]) {
    this.documents = documents;
  }

  static async read(): Promise<DocumentPages> {
    return new DocumentPages(await readDocuments());
  }

  /** The page at a path; undefined if there is none. */
  page(path: string): string | undefined {
    const document = this.documents.find((each) => each.path === path);
    if (!document) return undefined;
    return this.#frame(document.title, path, renderDocument(document, this.documents));
  }

  /** The page that lists all documents. */
  get index(): string {
    const items = this.documents.map(({ path, title }) => `<li><a href="${path}">${escapeHtml(title)}</a></li>`);
    return this.#frame(
      'Documents',
      '/docs',
      `<h1>Documents</h1><ul><li><a href="/docs/api">HTTP API (OpenAPI)</a></li>${items.join('')}</ul>`,
    );
  }

  /** What the search in the browser reads. */
  get sections(): string {
    return JSON.stringify(this.documents.flatMap(sectionsOf));
  }

  #frame(title: string, current: string, content: string): string {
    const item = ({ path, title }: { path: string; title: string }) =>
      `<li><a href="${path}"${path === current ? ' aria-current="page"' : ''}>${escapeHtml(title)}</a></li>`;
    const items = [{ path: '/docs/api', title: 'HTTP API (OpenAPI)' }, ...this.documents].map(item);
    const styles = ['tokens', 'base', 'shell', 'docs'].map(
      (name) => `<link rel="stylesheet" href="/page/css/${name}.css">`,
    );
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} – Southbridge</title>
<link rel="icon" href="/page/icon.svg" type="image/svg+xml">
${styles.join('\n')}
<script type="module" src="/page/js/docs/search.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the document</a>
<header class="bar">
<p class="brand"><a href="/"><img src="/page/icon.svg" alt="" width="18" height="18">Southbridge</a></p>
<nav class="bar-links" aria-label="Parts">
<a href="/">Machines</a>
<a href="/docs"${current === '/docs' ? ' aria-current="page"' : ''}>Documents</a>
<a href="/docs/api">API</a>
</nav>
</header>
<div class="columns">
<aside class="machines" aria-label="Documents">
<label class="hidden-text" for="search">Search the documents</label>
<input type="search" id="search" placeholder="Search the documents" autocomplete="off">
<p class="note" id="search-status" role="status"></p>
<ul class="found" id="found"></ul>
<nav aria-label="All documents"><details class="contents" open><summary>All documents</summary><ul>${items.join('')}</ul></details></nav>
</aside>
<main class="document" id="main" tabindex="-1">
${content}
</main>
</div>
</body>
</html>
`;
  }
}
