import t from 'tap';
import { BrowserPage, NO_CHROMIUM } from '../support/chromium.js';
import { NESTED_MUTEX, provokeDeadlock } from '../support/nested-deadlock.js';
import { TestServer } from '../support/server.js';
import { tier } from '../support/tier.js';

/** It starts a browser of its own, which takes seconds. */
const skip = NO_CHROMIUM || (tier.testsEveryView ? false : 'skipped: it runs in the tier long');

t.test('200 machines: the ones in trouble come first, and a summary counts them', { skip }, async (t) => {
  const others = Array.from({ length: 199 }, (_, index) => ({ name: `a-${index}` }));
  const machines = [...others, { name: 'z', onDeadlock: 'hang', ...NESTED_MUTEX } as const];
  const server = await TestServer.start({ execution: 'threads', limits: { machines: 256 }, machines });
  t.teardown(server.stop);
  const { browser, page, errors } = await BrowserPage.open();
  t.teardown(() => browser.close());
  await page.goto(`${server.url}/#a-0/locks`);
  const status = page.getByRole('status').filter({ hasText: '200 machines' });
  await status.waitFor();
  t.notMatch(await status.textContent(), /hung/);
  const vcpu = await server.connect('z', 0);
  await provokeDeadlock(vcpu, async () => (await server.get('/v1/machines/z')).state === 'hung');
  await page.getByText(/^200 machines at .*: 1 hung$/).waitFor();
  const links = page.getByRole('complementary').getByRole('link');
  t.match(await links.first().textContent(), /^zhung/);
  t.same(errors, [], 'no errors in the console');
});
