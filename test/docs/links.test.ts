import { existsSync } from 'node:fs';
import t from 'tap';
import { PAGES, textOf } from '../support/command-lines.js';

const root = new URL('../../../', import.meta.url);

/** Links to files of the repository, without the part of the page. */
const LINK = /\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g;
/** Paths of source files and folders in code spans, from the root or from the folder of the page. */
const PATH = /`((?:src|routes|test|bench|web|docker)\/[\w./-]+)`/g;

t.test('links of the documents lead to files', async (t) => {
  for (const page of PAGES) {
    const targets = [...textOf(page).matchAll(LINK)].map(([, target]) => target);
    const missing = targets.filter((target) => !existsSync(new URL(target, new URL(page, root))));
    t.strictSame(missing, [], page);
  }
});

t.test('source paths that the documents name exist', async (t) => {
  for (const page of PAGES) {
    const paths = [...textOf(page).matchAll(PATH)].map(([, path]) => path);
    t.strictSame(
      paths.filter((path) => !existsSync(new URL(path, root)) && !existsSync(new URL(path, new URL(page, root)))),
      [],
      page,
    );
  }
});
