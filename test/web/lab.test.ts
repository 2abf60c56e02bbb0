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

t.test('the load of Compare ends with the view, and the machines are as before', { skip }, async (t) => {
  const machines = ['a', 'b'].map((name) => ({ name, vcpus: 2, bql: { load: { duty: 0.1 } } }));
  const server = await TestServer.start({ machines }, new ProcessExaminer());
  t.teardown(server.stop);
  const browser = await BrowserPage.open();
  t.teardown(() => browser.close());
  const { page, errors } = browser;
  const loads = () => Promise.all(['a', 'b'].map((name) => server.get(`/v1/machines/${name}/bql/load`)));
  const before = await loads();
  const isBusy = async () => {
    const { machines } = await server.get('/v1/machines');
    const isConnected = ({ connected }: { connected: boolean }) => connected;
    return machines.some(({ vcpus }: { vcpus: { connected: boolean }[] }) => vcpus.some(isConnected));
  };
  // Each sequence of presses on the button, within one turn of the page; then the viewer leaves.
  for (const presses of [1, 2, 3]) {
    await page.goto(`${server.url}/#/compare`);
    const button = page.getByRole('button', { name: 'Load both' });
    await button.waitFor();
    await page.getByRole('columnheader', { name: /^b: / }).waitFor();
    await button.evaluate((element, presses) => {
      for (let count = 0; count < presses; count++) (element as unknown as { click(): void }).click();
    }, presses);
    if (presses === 1) while (!(await isBusy())) await page.waitForTimeout(50);
    await page.getByRole('link', { name: 'Designs' }).click();
    await page.getByRole('heading', { name: 'Designs', exact: true }).waitFor();
    while (await isBusy()) await page.waitForTimeout(50);
    while (JSON.stringify(await loads()) !== JSON.stringify(before)) await page.waitForTimeout(50);
    t.pass(`${presses} presses`);
  }
  await page.goto(`${server.url}/#/compare`);
  await page.getByRole('button', { name: 'Load both' }).click();
  while (!(await isBusy())) await page.waitForTimeout(50);
  // Another page: this one ends without a chance to wait.
  await page.goto('about:blank');
  while (JSON.stringify(await loads()) !== JSON.stringify(before)) await page.waitForTimeout(50);
  await page.goto(`${server.url}/#/compare`);
  await page.getByRole('columnheader', { name: /^a: lockless-timer$/ }).waitFor();
  await server.request('DELETE', '/v1/machines/a');
  await server.request('POST', '/v1/machines', { name: 'a', locking: 'bql' });
  await page.getByRole('columnheader', { name: /^a: bql$/ }).waitFor();
  const options = await page.getByLabel('Machine B').locator('option').allTextContents();
  t.same(options.sort(), ['a: bql', 'b: lockless-timer']);
  t.same(errors, [], 'no errors in the console');
});
