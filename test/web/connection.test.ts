import t from 'tap';
import { startServer } from '../../src/server/boot.js';
import { BrowserPage, NO_CHROMIUM } from '../support/chromium.js';
import { NESTED_MUTEX, provokeDeadlock } from '../support/nested-deadlock.js';
import { configuration, TestServer } from '../support/server.js';
import { tier } from '../support/tier.js';
import { roleTokens } from '../support/token-file.js';

/** Each starts a browser of its own, which takes seconds. */
const skip = NO_CHROMIUM || (tier.testsWholePage ? false : 'skipped: it runs in the tiers ci and long');
const skipView = NO_CHROMIUM || (tier.testsEveryView ? false : 'skipped: it runs in the tier long');

t.test('the page asks for the token that the server wants', { skip }, async (t) => {
  const { file, tokens } = roleTokens(t);
  const server = await TestServer.start({ tokenFile: file });
  t.teardown(server.stop);
  const { browser, page, errors } = await BrowserPage.open();
  t.teardown(() => browser.close());

  await page.goto(`${server.url}/#default/interrupts`);
  await page.getByLabel('Token', { exact: true }).fill('sbt_wrong');
  await page.keyboard.press('Enter');
  await page.getByText('The server did not accept this token.').waitFor();
  await page.getByLabel('Token', { exact: true }).fill(tokens.observe);
  await page.getByRole('button', { name: 'Use' }).click();
  await page.getByRole('heading', { name: 'default' }).waitFor();

  await page.getByText('Live.').waitFor();
  await page.getByRole('button', { name: 'Drive' }).click();
  await page.getByRole('region', { name: 'Drive' }).getByRole('alert').filter({ hasText: 'connection' }).waitFor();
  t.pass('a token with role observe cannot drive');

  await page.evaluate(() => (globalThis as unknown as { sessionStorage: { clear(): void } }).sessionStorage.clear());
  await page.reload();
  await page.getByLabel('Token', { exact: true }).fill(tokens.admin);
  await page.keyboard.press('Enter');
  await page.getByText('Live.').waitFor();
  await page.getByRole('button', { name: 'Drive' }).click();
  await page.locator('.events tbody tr').filter({ hasText: 'vector 0x51' }).first().waitFor();
  t.notMatch(page.url(), /sbt_/, 'the token is in no address');
  const refused = /status of 40[13]|WebSocket connection to .* failed/;
  t.same(
    errors.filter((error) => !refused.test(error)),
    [],
    'no other errors in the console',
  );
});

t.test('the page continues after a restart of the server', { skip }, async (t) => {
  const machines = [{ name: 'm' }];
  const first = await startServer(configuration({ machines }));
  const { browser, page } = await BrowserPage.open();
  t.teardown(() => browser.close());
  await page.goto(`${first.url}/#m/interrupts`);
  await page.getByText('Live.').waitFor();
  const raise = (url: string, gsi: number) =>
    fetch(`${url}/v1/machines/m/lines/${gsi}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"level":1}',
    });
  for (const gsi of [20, 21]) await raise(first.url, gsi);
  const rows = page.locator('.events tbody tr');
  await rows.filter({ hasText: 'GSI 21 up' }).waitFor();

  await first.close();
  const banner = page.getByRole('alert').filter({ hasText: 'The server does not answer.' });
  await banner.waitFor();
  await page.getByText('The connection is lost.').waitFor();
  const second = await startServer(configuration({ machines, port: Number(new URL(first.url).port) }));
  t.teardown(second.close);
  await banner.waitFor({ state: 'hidden' });
  await page.getByText('Live.').waitFor();
  await raise(second.url, 22);
  await rows.filter({ hasText: 'GSI 22 up' }).waitFor();
  t.match(await rows.nth(1).textContent(), /numbers begin again/);
  await page.getByRole('link', { name: 'Locks' }).click();
  await page.getByRole('slider', { name: 'BQL held by other work' }).focus();
  await page.keyboard.press('End');
  await page.locator('tr[data-key="bql main-loop"]').waitFor();
  t.pass('and so do the counts');
});

t.test(
  'a hung machine says why, keeps its registers, and can be restored or deleted only',
  { skip: skipView },
  async (t) => {
    const server = await TestServer.start({
      execution: 'threads',
      machines: [{ name: 'm', onDeadlock: 'hang', ...NESTED_MUTEX }],
    });
    t.teardown(server.stop);
    const { browser, page, errors } = await BrowserPage.open();
    t.teardown(() => browser.close());
    await page.goto(`${server.url}/#m/locks`);
    const vcpu = await server.connect('m', 0);
    await provokeDeadlock(vcpu, async () => (await server.get('/v1/machines/m')).state === 'hung');

    const card = page.getByRole('article', { name: /^Deadlock of .* hung$/ }).first();
    await card.getByText(/^hung for \d/).waitFor();
    const text = (await card.textContent()) ?? '';
    for (const part of [
      'bql taken at main-loop',
      'device taken at mmio-write',
      'timer 0, GSI 16',
      'main_loop_wait → timerlist_run_timers → hpet_timer',
      'hpet_ram_write → update_irq → qemu_set_irq',
      'npx southbridge explore --locking nested-mutex --scenario callback-',
    ]) {
      t.ok(text.includes(part), part);
    }
    await page.getByRole('button', { name: 'Restore' }).waitFor();
    const buttons = page.locator('.machine-head').getByRole('button');
    t.same(await buttons.allTextContents(), ['Restore', 'Delete']);
    t.notOk(await page.getByRole('button', { name: 'Drive' }).isVisible(), 'nothing drives it');
    await page.reload();
    await page.getByRole('link', { name: 'Registers' }).click();
    await page.getByRole('table', { name: 'Timers of the HPET' }).getByText('periodic').first().waitFor();
    t.same(errors, [], 'no errors in the console');
  },
);
