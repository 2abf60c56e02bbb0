import t from 'tap';
import { PAGES, textOf } from '../support/command-lines.js';

/** The page is generated from the families themselves, which another test holds it to. */
const known = new Set([...textOf('docs/metrics.md').matchAll(/^\| `(southbridge_\w+)`/gm)].map(([, name]) => name));

t.test('queries and pages name metrics that there are', async (t) => {
  t.ok(known.size > 20, 'the page lists families');
  for (const page of PAGES.filter((page) => page !== 'docs/metrics.md')) {
    const names = [...textOf(page).matchAll(/\bsouthbridge_[a-z_]+[a-z]/g)].map(([name]) => name);
    const unknown = names.filter((name) => !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, '')));
    t.same(unknown, [], page);
  }
});
