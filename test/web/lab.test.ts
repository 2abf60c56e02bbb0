import axe, { type RunOptions } from 'axe-core';
import t from 'tap';
import { ProcessExaminer } from '../../src/cli/examiner.js';
import { BrowserPage, NO_CHROMIUM } from '../support/chromium.js';
import { TestServer } from '../support/server.js';
import { tier } from '../support/tier.js';

/** Each starts a browser of its own, which takes seconds. */
const skip = NO_CHROMIUM || (tier.testsEveryView ? false : 'skipped: it runs in the tier long');

t.test('the counterexample of nested-mutex, stepped to the deadlock by keyboard', { skip }, async (t) => {
  const server = await TestServer.start({}, new ProcessExaminer());
  t.teardown(server.stop);
  const browser = await BrowserPage.open();
  t.teardown(() => browser.close());
  const { page, errors } = browser;
  await page.goto(`${server.url}/#/designs`);
  await page.getByRole('button', { name: 'nested-mutex', exact: true }).focus();
  await page.keyboard.press('Enter');
  t.equal(await page.getByLabel('Design', { exact: true }).inputValue(), 'nested-mutex');
  await page.getByLabel('Scenario', { exact: true }).selectOption('callback-acknowledge');
  await page.getByRole('button', { name: 'Explore' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText(/^FAIL nested-mutex × callback-acknowledge, exhaustive/).waitFor();
  await page.getByRole('button', { name: /^deadlock: / }).click();
  const stepper = page.getByRole('region', { name: 'Counterexample: deadlock' });
  const where = stepper.getByRole('status');
  await stepper.getByRole('button', { name: 'First step' }).focus();
  const [, steps] = /of (\d+)/.exec((await where.textContent()) ?? '') ?? [];
  const texts: string[] = [];
  for (let step = 1; step <= Number(steps); step++) {
    texts.push((await where.textContent()) ?? '');
    t.match(texts.at(-1), new RegExp(`^Step ${step} of ${steps}`));
    if (step < Number(steps)) await page.keyboard.press('ArrowRight');
  }
  t.match(texts.at(-1), /violates: /, 'the last step is the deadlock');
  t.ok(Number(steps) > 3, `${steps} steps`);
  t.match(await stepper.textContent(), /hpet_ram_write → update_irq/, 'with functions of QEMU');
  t.equal(await stepper.getByRole('button', { name: 'Copy as mail' }).count(), 1);

  const link = await page.getByRole('link', { name: 'Link to this step' }).getAttribute('href');
  await page.goto('about:blank');
  await page.goto(link ?? '');
  await page.getByText(/^FAIL nested-mutex × callback-acknowledge/).waitFor();
  t.match(page.url(), /design=nested-mutex&scenario=callback-acknowledge&step=\d+/, 'a link reopens it');
  t.same(errors, [], 'no errors in the console');
});

t.test('side by side, the page shows the figures that the API returned', { skip }, async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const browser = await BrowserPage.open();
  t.teardown(() => browser.close());
  const { page, errors } = browser;
  /** The newest answers, by machine. */
  const answers = new Map<string, { accesses: { read: number; write: number }; deadlocks: { broken: number } }[]>();
  page.on('response', async (response) => {
    const [, machine] = /machines\/(compare-[ab])\/locks\/contention/.exec(response.url()) ?? [];
    if (!machine) return;
    const answer = await response.json().catch(() => undefined);
    if (answer) answers.set(machine, [...(answers.get(machine) ?? []), answer]);
  });
  await page.goto(`${server.url}/#/compare`);
  await page.getByRole('button', { name: 'Make two machines' }).click();
  await page.getByRole('columnheader', { name: 'compare-a: nested-mutex' }).waitFor();
  await page.getByRole('columnheader', { name: 'compare-b: lockless-timer' }).waitFor();
  await page.getByRole('button', { name: 'Load both' }).click();
  const row = page.locator('tr[data-figure="accesses"] td');
  const number = async (index: number) => Number(((await row.nth(index).textContent()) ?? '').replaceAll('\u202f', ''));
  while (!((await number(0)) > 100 && (await number(1)) > 100)) await page.waitForTimeout(50);
  await page.locator('tr[data-figure="rate"] td').first().filter({ hasText: /\d/ }).waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  for (const [index, machine] of ['compare-a', 'compare-b'].entries()) {
    const returned = () => (answers.get(machine) ?? []).map(({ accesses }) => accesses.read + accesses.write);
    // The page may have an answer a moment earlier than this test.
    while (!returned().includes(await number(index))) await page.waitForTimeout(20);
    t.pass(`${machine}: the page shows a figure that the API returned`);
  }
  await page.reload();
  await page.getByRole('columnheader', { name: 'compare-b: lockless-timer' }).waitFor();
  t.match(page.url(), /a=compare-a&b=compare-b/, 'a link reopens it');
  t.ok(await page.getByRole('img', { name: 'accesses per second', exact: true }).isVisible(), 'the stored charts');
  t.same(errors, [], 'no errors in the console');
});

t.test('every view at every width, in light and dark', { skip }, async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'vm-0' }, { name: 'vm-1' }] }, new ProcessExaminer());
  t.teardown(server.stop);
  const browser = await BrowserPage.open();
  t.teardown(() => browser.close());
  const { page, errors } = browser;
  for (const view of ['vm-0/locks', 'vm-0/registers', 'vm-0/interrupts', '/designs', '/compare']) {
    await page.goto(`${server.url}/#${view}`);
    await page.locator('main h2').first().waitFor();
    for (const width of [1440, 1024, 390]) {
      await page.setViewportSize({ width, height: 900 });
      const overflow = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
      t.ok(overflow <= 0, `${view} at ${width} px: ${overflow} px too wide`);
    }
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(axe.source);
      // Only colours differ between the schemes.
      const options: RunOptions = colorScheme === 'dark' ? { runOnly: ['color-contrast'] } : {};
      const { violations } = await page.evaluate(
        (options) => (globalThis as unknown as { axe: typeof axe }).axe.run(options),
        options,
      );
      t.same(
        violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
        [],
        `${view}, ${colorScheme}`,
      );
    }
  }
  t.same(errors, [], 'no errors in the console');
});
