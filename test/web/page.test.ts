import axe, { type RunOptions } from 'axe-core';
import t from 'tap';
import { BrowserPage, NO_CHROMIUM } from '../support/chromium.js';
import { TestServer } from '../support/server.js';
import { tier } from '../support/tier.js';

/** Events that the server keeps for subscribers who come back: few, so that a pause leaves a gap. */
const HISTORY = 16;

t.test('the page, in a browser', { skip: NO_CHROMIUM }, async (t) => {
  const server = await TestServer.start({ limits: { history: HISTORY } });
  t.teardown(server.stop);
  const browser = await BrowserPage.open();
  t.teardown(() => browser.close());
  const { page, errors } = browser;
  /** Looks until it is so; the test's time is the limit. */
  const until = async (condition: () => Promise<boolean>) => {
    while (!(await condition())) await page.waitForTimeout(50);
  };
  const open = (view: string) =>
    page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view }).click();

  await t.test('makes a machine, which is then shown', async (t) => {
    await page.goto(server.url);
    await page.getByRole('heading', { name: 'default' }).waitFor();
    t.match(page.url(), /#default\/locks$/);
    const form = page.getByRole('form', { name: 'New machine' });
    await form.getByLabel('Name').fill('No Name');
    await form.getByRole('button', { name: 'Create' }).click();
    await form.getByRole('alert').filter({ hasText: 'name' }).waitFor();
    await form.getByLabel('Name').fill('vm-1');
    await form.getByLabel('Locking design').selectOption('nested-mutex');
    await form.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'vm-1' }).waitFor();
    t.match(page.url(), /#vm-1\/locks$/);
    t.match(await server.get('/v1/machines/vm-1'), { locking: { preset: 'nested-mutex' } });
    await page.getByText('The design nested-mutex is unsafe').waitFor();
    errors.splice(0, errors.length, ...errors.filter((error) => !error.includes('status of 400')));
  });

  await t.test('finds machines by a filter', async (t) => {
    const links = page.getByRole('complementary').getByRole('link');
    t.equal(await links.count(), 2);
    await page.getByLabel('Filter machines').fill('nested');
    t.same(await links.getByText('vm-1').count(), 1);
    t.equal(await links.count(), 1);
    await page.getByLabel('Filter machines').fill('');
  });

  await t.test('drives it, and the load under the BQL changes the contention', async (t) => {
    await page.getByRole('button', { name: 'Drive' }).click();
    const slider = page.getByRole('slider', { name: 'BQL held by other work' });
    /** Milliseconds per second that call sites wait for the BQL. */
    const waiting = async () => {
      const rows = await page.locator('.contention-table tbody tr[data-key^="bql "]').all();
      const cells = await Promise.all(
        rows.map((row) =>
          row
            .locator('td')
            .nth(4)
            .textContent({ timeout: 5000 })
            .catch(() => ''),
        ),
      );
      return cells.reduce((sum, text) => sum + Number.parseFloat(text || '0'), 0);
    };
    const row = page.locator('.contention-table tbody tr[data-key="bql irq-update"]');
    await row.waitFor();
    await slider.focus();
    await page.keyboard.press('End');
    await until(async () => (await server.get('/v1/machines/vm-1/bql/load')).duty === 0.95);
    await until(async () => (await waiting()) > 100);
    const high = await waiting();
    await slider.focus();
    await page.keyboard.press('Home');
    await until(async () => (await server.get('/v1/machines/vm-1/bql/load')).duty === 0);
    await until(async () => (await waiting()) < 0.5 * Math.max(high, 100));
    t.pass('with it, threads wait; without it, they hardly do');
  });

  await t.test('shows a deadlock with the paths of both threads', async (t) => {
    await page.getByRole('slider', { name: 'BQL held by other work' }).focus();
    for (let step = 0; step < 10; step++) await page.keyboard.press('ArrowRight');
    const report = page.getByRole('article', { name: /^Deadlock of/ }).first();
    await report.waitFor();
    const paths = report.locator('.path');
    t.equal(await paths.count(), 2);
    await until(async () => {
      const texts = (await paths.allTextContents()).sort();
      return (
        /^main-loopholdsbql taken at main-loop.*waits fordevice at timer-callback, held by vcpu-\d/.test(
          texts[0] ?? '',
        ) &&
        /^vcpu-\d+holdsdevice taken at mmio-write.*waits forbql at irq-update, held by main-loop/.test(texts[1] ?? '')
      );
    });
    t.pass('the callback has the BQL and wants the mutex, the write the other way round');
    await page.locator('.order .edge.inverted').nth(1).waitFor({ state: 'attached' });
    t.match(await page.locator('.order').getAttribute('aria-label'), /contradict/);
  });

  await t.test('shows who holds and who waits', async (t) => {
    const bql = page
      .getByRole('row')
      .filter({ has: page.getByRole('rowheader', { name: 'bql', exact: true }) })
      .first();
    await until(async () => (await bql.locator('td').nth(1).textContent()) === 'main-loop');
    await until(async () => (await bql.locator('td').nth(3).textContent()) !== '0 %');
    t.pass('the main loop was seen with the BQL');
    const value = page.locator('.lane-value');
    await until(async () => {
      await page
        .locator('.lane-canvas')
        .first()
        .hover({ position: { x: 5, y: 5 } });
      await page.locator('.lane-canvas').first().hover();
      return /^bql −\d+\.\d s: (?:\S+ holds|free)/.test((await value.textContent()) ?? '');
    });
    const ticks = await page.locator('.ticks span').allTextContents();
    t.match(ticks.join(' '), /^−\d+(?:\.\d)? s .* now$/, 'the lanes have a time axis, and values under the pointer');
  });

  await t.test('shows registers by field, and what changed', async (t) => {
    await open('Registers');
    const counter = page.locator('.fields dd').first();
    const before = await counter.textContent();
    await until(async () => (await counter.textContent()) !== before);
    await page.locator('.fields dd.changed').first().waitFor();
    const timers = page.getByRole('table', { name: 'Timers of the HPET' });
    await timers.locator('td.changed').first().waitFor();
    t.match(await timers.getByRole('row').nth(2).textContent(), /1periodic 64edge17/);
    const pin = page
      .getByRole('table', { name: /Redirection/ })
      .getByRole('row')
      .nth(18);
    t.match(await pin.textContent(), /^17.*0x51fixed0x00 physicaledge/);
    await page.getByRole('table', { name: /8259/ }).getByRole('row').nth(2).waitFor();
  });

  await t.test('shows interrupts, filtered, and a gap where the server no longer has them', async (t) => {
    // The list holds the newest events only: with fewer ticks it has some of every kind.
    await page.getByLabel('Ticks per second').fill('100');
    await page.getByLabel('Ticks per second').press('Tab');
    await open('Interrupts');
    const rows = page.locator('.events tbody tr:not(.placeholder)');
    await rows.filter({ hasText: 'GSI 16' }).first().waitFor();
    await rows.filter({ hasText: 'vector 0x51' }).first().waitFor();

    await page.getByLabel('GSI', { exact: true }).fill('17, 99');
    await page.getByLabel('GSI', { exact: true }).press('Enter');
    await page.getByText('A GSI is a number from 0 to 31.').waitFor();
    await page.getByLabel('GSI', { exact: true }).fill('17');
    await page.getByLabel('vector').fill('0x51');
    await page.getByLabel('vector').press('Tab');
    await until(async () => (await rows.count()) > 5);
    const others = (await rows.allTextContents()).filter((text) => !/apicpin 17: vector 0x51/.test(text));
    t.same(others, [], 'nothing else comes');

    await page.getByRole('button', { name: 'Pause' }).last().click();
    await page.getByText('Paused: the stream is closed.').waitFor();
    const sequence = async () => Number((await server.get('/v1/machines/vm-1')).sequence);
    const then = await sequence();
    await until(async () => (await sequence()) > then + 4 * HISTORY);
    // So that nothing pushes the gap out of the list.
    await page.getByRole('button', { name: 'Stop' }).click();
    const isDriven = ({ vcpus }: { vcpus: { connected: boolean }[] }) => vcpus.some(({ connected }) => connected);
    await until(async () => !isDriven(await server.get('/v1/machines/vm-1')));
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.locator('.events tr.gap').first().waitFor();
    t.match(await page.locator('.events tr.gap').first().textContent(), /events? (?:is|are) lost here/);
  });

  await t.test('breaks no rule of accessibility that a program can check', async (t) => {
    await page.evaluate(axe.source);
    for (const scheme of tier.testsWholePage ? (['light', 'dark'] as const) : (['light'] as const)) {
      await page.emulateMedia({ colorScheme: scheme });
      for (const view of tier.testsWholePage ? ['Registers', 'Interrupts', 'Locks'] : ['Locks']) {
        await open(view);
        const options: RunOptions = {
          resultTypes: ['violations'],
          // Only colours differ between the schemes.
          ...(scheme === 'dark' && { runOnly: ['color-contrast'] }),
        };
        const { violations } = await page.evaluate(
          (options) => (globalThis as unknown as { axe: typeof axe }).axe.run(options),
          options,
        );
        t.same(
          violations.map(({ id, nodes }) => [id, nodes.map(({ html, any }) => [html, any[0]?.message])]),
          [],
          `${view}, ${scheme}`,
        );
      }
    }
    await open('Interrupts');
  });

  await t.test('can be used by keyboard alone', async (t) => {
    await page.evaluate(() =>
      (globalThis as unknown as { document: { activeElement: { blur(): void } } }).document.activeElement.blur(),
    );
    const names: string[] = [];
    await until(async () => {
      await page.keyboard.press('Tab');
      const name = await page
        .locator(':focus')
        .evaluateAll(([element]) => element?.textContent || element?.getAttribute('aria-label') || element?.id || '');
      names.push(name);
      return names.length > 60 || (names.length > 5 && name === names[0]);
    });
    for (const name of [
      'Skip to the machine',
      'Filter machines',
      'default',
      'Create',
      'Pause',
      'Delete',
      'Drive',
      'Registers',
      'apic',
      'Events',
    ]) {
      t.ok(
        names.some((each) => each.startsWith(name)),
        `Tab reaches ${name}`,
      );
    }
    const skip = page.getByRole('link', { name: 'Skip to the machine' });
    await skip.focus();
    await page.keyboard.press('Enter');
    t.equal(await page.locator(':focus').evaluate((element) => element.id), 'main');
    await page.getByRole('link', { name: 'Locks' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Holders and waiters' }).waitFor();
    t.equal(await page.locator(':focus').textContent(), 'Locks', 'the focus stays');
  });

  await t.test('deletes the machine', async () => {
    page.once('dialog', (dialog) => dialog.accept());
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'default' }).waitFor();
    await until(async () => (await server.request('GET', '/v1/machines/vm-1')).status === 404);
    // What was asked just before may be answered just after.
    errors.splice(0, errors.length, ...errors.filter((error) => !/status of (404|409)/.test(error)));
  });

  t.same(errors, [], 'no errors in the console, and no violation of the policy');
});

/** Where pictures for the documents go: set by `npm run docs:screenshots`. */
const PICTURES = process.env.PAGE_PICTURES;
/** Long enough for the charts to show something. */
const PICTURE_MS = 36_000;

t.test('pictures for the documents', { skip: NO_CHROMIUM || !PICTURES }, async (t) => {
  const machines = (['bql', 'lockless-timer', 'lockless-irq'] as const).map((locking) => ({
    name: `guest-${locking}`,
    locking,
  }));
  const server = await TestServer.start({
    machines: [...machines, { name: 'guest-rust', locking: 'nested-mutex', vcpus: 4 }],
  });
  t.teardown(server.stop);
  const { browser, page } = await BrowserPage.open();
  t.teardown(() => browser.close());
  await page.goto(`${server.url}/#guest-rust/locks`);
  await page.getByRole('button', { name: 'Drive' }).click();
  const slider = page.getByRole('slider', { name: 'BQL held by other work' });
  for (const duty of ['20', '60', '40']) {
    await slider.fill(duty);
    await page.waitForTimeout(PICTURE_MS / 3);
  }
  for (const view of ['Locks', 'Registers', 'Interrupts']) {
    await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view }).click();
    if (view === 'Interrupts') await page.waitForTimeout(PICTURE_MS);
    await page.waitForTimeout(2000);
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.waitForTimeout(500);
      const path = `${PICTURES}/page-${view.toLowerCase()}-${scheme}.png`;
      await page.screenshot({ path, fullPage: view === 'Locks' });
    }
    await page.emulateMedia({ colorScheme: 'light' });
  }
  t.ok(browser.isConnected());
});
