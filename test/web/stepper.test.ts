import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe, { type AxeResults } from 'axe-core';
import t, { type Test } from 'tap';
import { BrowserPage, NO_CHROMIUM } from '../support/chromium.js';
import { CLI } from '../support/program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tier } from '../support/tier.js';

/** A page of `explore --format html`, opened from a file. */
async function openPage(t: Test, scenario: string): Promise<BrowserPage> {
  const args = ['explore', '--locking', 'nested-mutex', '--scenario', scenario, '--format', 'html'];
  const file = join(temporaryFolder(t), 'counterexample.html');
  writeFileSync(file, execFileSync(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'ignore'] }));
  const browser = await BrowserPage.open();
  t.teardown(() => browser.close());
  await browser.page.goto(pathToFileURL(file).href);
  return browser;
}

t.test(
  'a counterexample is stepped from its start to the deadlock by keyboard alone',
  { skip: NO_CHROMIUM },
  async (t) => {
    const { page, errors } = await openPage(t, 'callback-acknowledge');
    const where = page.getByRole('status');
    t.match(await where.textContent(), /^Step 1 of \d+\. vCPU 0: guest writes 1 to HPET interrupt status$/);
    await page.getByRole('region', { name: 'Lanes, one per thread' }).focus();
    const count = await page.locator('.stepper-lanes tbody tr').count();
    for (let step = 1; step < count; step++) await page.keyboard.press('ArrowRight');
    t.match(await where.textContent(), new RegExp(`^Step ${count} of ${count}\\. vCPU 0: waits for bql – violates: `));
    const state = await page.locator('.stepper-state').textContent();
    t.match(state, /main loop: bql \(BQL\)\s*vCPU 0: device \(s->lock\)/);
    t.match(state, /hpet_ram_write → update_irq/);
    t.equal(await page.locator('tr[aria-current="step"]').count(), 1);
    await page.keyboard.press('Home');
    t.match(await where.textContent(), /^Step 1 /);
    await page.getByRole('button', { name: 'Last step' }).press('Enter');
    t.match(await where.textContent(), new RegExp(`^Step ${count} `));
    await page.getByLabel('leaf locks and bookkeeping').check();
    t.ok((await page.locator('.stepper-lanes tbody tr').count()) > count, 'more steps');
    t.match(await where.textContent(), /waits for bql/, 'at the same step');

    await page.addScriptTag({ content: axe.source });
    for (const colorScheme of tier.testsWholePage ? (['light', 'dark'] as const) : (['light'] as const)) {
      for (const width of tier.testsWholePage ? [1440, 1024, 390] : [390]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
        t.same(
          violations.map(({ id, nodes }) => [id, nodes[0].html]),
          [],
          `${colorScheme}, ${width} px`,
        );
        t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${width} px: fits`);
      }
    }
    t.same(errors, []);
  },
);
