import t from 'tap';
import { BrowserPage, NO_CHROMIUM } from '../support/chromium.js';
import { TestServer } from '../support/server.js';
import { tier } from '../support/tier.js';

/** It reads all pages. */
const skipCrawl = tier.testsWholePage ? false : 'skipped: it runs in the tiers ci and long';
/** It starts a browser of its own, which takes seconds. */
const skip = NO_CHROMIUM || (tier.testsEveryView ? false : 'skipped: it runs in the tier long');

t.test('every document is served, and every link in it leads somewhere', { skip: skipCrawl }, async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const seen = new Map<string, string>();
  const waiting = ['/docs'];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    const { status, body, headers } = await server.request('GET', path);
    const isPage = headers.get('content-type')?.startsWith('text/html') && !path.startsWith('/docs/api');
    seen.set(path, isPage ? body : '');
    if (status !== 200) t.fail(`${path}: ${status}`);
    if (!isPage) continue;
    t.notMatch(
      body,
      /<script(?! type="module" src="\/page\/)|\sstyle="|<style|\son\w+="/,
      `${path} keeps to the policy`,
    );
    for (const [, target] of body.matchAll(/(?:href|src)="(\/docs[^"#]*)(?:#[^"]*)?"/g)) waiting.push(target);
  }
  const pages = [...seen].filter(([, body]) => body !== '');
  t.ok(pages.length > 40, `${pages.length} pages`);
  const broken = pages.flatMap(([path, body]) =>
    [...body.matchAll(/href="(\/docs[^"#]*)?#([^"]*)"/g)]
      .map(([, target = path, anchor]) => ({ path, target, anchor }))
      .filter(({ target, anchor }) => anchor !== 'main' && seen.get(target)?.includes(`id="${anchor}"`) === false),
  );
  t.same(broken, [], 'every anchor exists');
  t.match(seen.get('/docs/locks'), /<table>.*BQL/s, 'tables are tables');
  t.match(seen.get('/docs/readme'), /<svg class="sequence"[^>]*aria-label="lock device mutex; /, 'diagrams are drawn');
  t.match(await server.get('/docs/locks.md'), /^# /, 'the file itself is served too');
});

t.test('documents are found and read in a browser', { skip }, async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const { browser, page, errors } = await BrowserPage.open();
  t.teardown(() => browser.close());
  await page.goto(`${server.url}/docs`);
  await page.getByLabel('Search the documents').fill('deadlock lock');
  await page.locator('#found li').first().waitFor();
  await page.getByLabel('Search the documents').press('Enter');
  await page.waitForURL(/\/docs\/[\w-]+#/);
  t.ok(await page.locator('main h1').isVisible());
  t.same(errors, [], 'no errors in the console');
});
