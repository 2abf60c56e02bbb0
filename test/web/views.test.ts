import axe, { type RunOptions } from 'axe-core';
import t, { type Test } from 'tap';
import { ProcessExaminer } from '../../src/cli/examiner.js';
import { SouthbridgeError } from '../../src/errors.js';
import type { NodeDescription } from '../../src/server/service/cluster-port.js';
import type { describeCluster } from '../../src/server/service/cluster-view.js';
import { BrowserPage, NO_CHROMIUM } from '../support/chromium.js';
import { OPERABLE, recordPointers, watchControls } from '../support/controls.js';
import { NESTED_MUTEX, provokeDeadlock } from '../support/nested-deadlock.js';
import { TestServer } from '../support/server.js';
import { tier } from '../support/tier.js';

/** It starts a browser of its own, and looks at each view many times. */
const skip = NO_CHROMIUM || (tier.testsEveryView ? false : 'skipped: it runs in the tier long');
t.setTimeout(600_000);

const WIDTHS = [1440, 1024, 390];
const SCHEMES = ['light', 'dark'] as const;
/** Rounds of all polls of the page. */
const POLLED_MS = 3000;

type Page = BrowserPage['page'];

/** Focuses a control, and presses a key on it. */
async function press(page: Page, role: 'button' | 'link', name: string | RegExp, key = 'Enter') {
  await page.getByRole(role, { name, exact: true }).first().focus();
  await page.keyboard.press(key);
}

/** Chooses an option by the arrow keys, as a closed list box has it. */
async function choose(page: Page, label: string, option: string) {
  const select = page.getByLabel(label, { exact: true });
  await select.focus();
  const options = await select.locator('option').allTextContents();
  await page.keyboard.press('Home');
  for (let count = 0; count < options.length && !options[count].startsWith(option); count++)
    await page.keyboard.press('ArrowDown');
}

interface View {
  readonly path: string;
  /** Brings the view, by keyboard alone, to where it shows all it can; resolves when it does. */
  readonly fill: (page: Page) => Promise<unknown>;
}

const heading = (name: string) => (page: Page) => page.getByRole('heading', { name }).first().waitFor();

/** Each view of the page and each kind of document, with most in it. */
const VIEWS: readonly View[] = [
  {
    path: '/#driven/locks',
    async fill(page) {
      await press(page, 'button', 'Drive');
      await page.getByRole('slider', { name: 'BQL held by other work' }).focus();
      for (let step = 0; step < 10; step++) await page.keyboard.press('ArrowRight');
      await page
        .getByRole('article', { name: /^Deadlock of/ })
        .first()
        .waitFor();
    },
  },
  { path: '/#driven/registers', fill: heading('driven') },
  { path: '/#driven/interrupts', fill: (page) => page.getByText('Live.').waitFor() },
  {
    path: '/#hung/locks',
    fill: (page) =>
      page
        .getByText(/^hung for \d/)
        .first()
        .waitFor(),
  },
  { path: '/#hung/registers', fill: (page) => page.getByRole('button', { name: 'Restore' }).waitFor() },
  { path: '/#hung/interrupts', fill: (page) => page.getByRole('button', { name: 'Restore' }).waitFor() },
  {
    path: '/#/designs',
    async fill(page) {
      await page.getByRole('button', { name: 'nested-mutex', exact: true }).waitFor();
      await press(page, 'button', 'nested-mutex');
      await choose(page, 'Scenario', 'callback-acknowledge');
      await press(page, 'button', 'Explore');
      await page.getByRole('region', { name: /^Counterexample/ }).waitFor();
    },
  },
  {
    path: '/#/compare',
    async fill(page) {
      await press(page, 'button', 'Make two machines');
      await page.getByRole('columnheader', { name: 'compare-b: lockless-timer' }).waitFor();
      // The first machine, and back: both lists answer to the keyboard.
      await choose(page, 'Machine A', 'driven: ');
      await page.getByRole('columnheader', { name: /^driven: / }).waitFor();
      await choose(page, 'Machine A', 'compare-a: ');
      await page.getByRole('columnheader', { name: 'compare-a: nested-mutex' }).waitFor();
      await press(page, 'button', 'Load both', 'Space');
      await page.locator('tr[data-figure="rate"] td').first().filter({ hasText: /[1-9]/ }).waitFor();
    },
  },
  // A server that is alone explains that.
  { path: '/#/cluster', fill: (page) => page.getByText('is not a node of a cluster').waitFor() },
  { path: '/docs', fill: heading('Documents') },
  { path: '/docs/readme', fill: heading('Southbridge') },
  { path: '/docs/answer', fill: heading('HPET locking') },
  { path: '/docs/decisions', fill: (page) => page.locator('main h1').waitFor() },
  { path: '/docs/comparison', fill: (page) => page.locator('main h1').waitFor() },
];

const UNSTARTABLE = 'Machine bad cannot be started';

const node = (name: string, rest: Partial<NodeDescription> = {}): NodeDescription => ({
  node: name,
  incarnation: `${name}-1`,
  address: `http://${name}.example.org:8080`,
  state: 'open',
  leaseMs: 2900,
  machines: 12,
  room: 1012,
  load: 0.25,
  draining: false,
  ...rest,
});

const moved = { machine: 'm1', from: 'n1', to: 'n2', startedAt: '2026-12-01T03:04:05.678Z' };

/** An answer to `GET /v1/cluster` with an example of everything. */
const CLUSTER: Awaited<ReturnType<typeof describeCluster>> = {
  node: 'n1',
  nodes: [node('n1'), node('n2', { draining: true, leaseMs: 3100 }), node('n3', { state: 'late', leaseMs: 900 })],
  gone: [{ node: 'n4', incarnation: 'n4-1', address: 'http://n4.example.org:8080', goneMs: 61_000 }],
  placement: { steward: 'n1', owned: 36, withoutOwner: 2, unstartable: 1 },
  unstartable: [
    {
      machine: 'bad',
      error: { code: 'machine-unstartable', node: 'n2', message: `${UNSTARTABLE}: its checksum is wrong.` },
    },
  ],
  migrations: {
    running: [{ ...moved, machine: 'm0', result: 'running' }],
    last: [
      { ...moved, result: 'moved', pauseMs: 41.5 },
      { ...moved, result: 'refused', error: 'migration-refused', pauseMs: 12 },
    ],
  },
  unreachable: ['n3'],
};

/** What a program can check of a view at each width, in both schemes. */
async function checkAppearance(t: Test, page: Page, path: string) {
  await page.evaluate(axe.source);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      const at = `${path} at ${width} px, ${colorScheme}`;
      const overflow = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
      t.ok(overflow <= 0, `${at}: ${overflow} px too wide`);
      // Only colours differ between the schemes.
      const options: RunOptions = {
        resultTypes: ['violations'],
        ...(colorScheme === 'dark' && { runOnly: ['color-contrast'] }),
      };
      const { violations } = await page.evaluate(
        (options) => (globalThis as unknown as { axe: typeof axe }).axe.run(options),
        options,
      );
      t.same(
        violations.map(({ id, nodes }) => [id, nodes.slice(0, 5).map(({ html }) => html)]),
        [],
        `${at}: axe-core`,
      );
    }
  }
  await page.setViewportSize({ width: WIDTHS[0], height: 900 });
  await page.emulateMedia({ colorScheme: 'light' });
}

/** Tab reaches each control and shows it, and polling does not take away the one with the focus. */
async function checkKeyboard(t: Test, page: Page, path: string) {
  const controls = await watchControls(page);
  t.same(await controls.pointerOnly(), [], `${path}: what a pointer can do, keys can`);
  await page.waitForTimeout(POLLED_MS);
  for (const name of new Set(await controls.removed())) {
    const control = page.locator('main').getByText(name, { exact: true }).first();
    await control.focus();
    await page.waitForTimeout(POLLED_MS);
    t.equal(await page.locator(':focus').count(), 1, `${path}: polling does not replace ${name} under the focus`);
    await control.blur();
  }
  const count = await page.locator(OPERABLE).count();
  for (let index = 0; index <= count && !(await controls.isRound()); index++) await page.keyboard.press('Tab');
  t.same(await controls.missed(), [], `${path}: Tab reaches each control`);
  t.same(await controls.unmarked(), [], `${path}: the focus can be seen`);
}

t.test('every view, at every width, in light and dark, by keyboard alone', { skip }, async (t) => {
  const server = await TestServer.start(
    {
      execution: 'threads',
      machines: [
        { name: 'driven', locking: 'nested-mutex', vcpus: 2 },
        { name: 'hung', onDeadlock: 'hang', ...NESTED_MUTEX },
      ],
    },
    new ProcessExaminer(),
  );
  t.teardown(server.stop);
  const vcpu = await server.connect('hung', 0);
  await provokeDeadlock(vcpu, async () => (await server.get('/v1/machines/hung')).state === 'hung');
  const browser = await BrowserPage.open();
  t.teardown(() => browser.close());
  await recordPointers(browser);
  await checkViews(t, browser, server, VIEWS);
});

t.test('the view of a cluster, with a node and machines in each state', { skip }, async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const browser = await BrowserPage.open();
  t.teardown(() => browser.close());
  await recordPointers(browser);
  const { page } = browser;
  const asked: string[] = [];
  let drains: { status: number; json: object } = { status: 200, json: { stayed: 0 } };
  await page.route('**/v1/cluster', (route) => route.fulfill({ json: CLUSTER }));
  await page.route('**/v1/cluster/drain', (route) => {
    asked.push(route.request().postData() ?? '');
    return route.fulfill(drains);
  });
  const fill = (page: Page) => page.getByRole('cell', { name: 'late', exact: true }).waitFor();
  await checkViews(t, browser, server, [{ path: '/#/cluster', fill }]);
  for (const text of [
    'drains',
    'gone',
    'ends in 2.90 s',
    'moved',
    'refused: migration-refused',
    '41.5 ms',
    UNSTARTABLE,
  ])
    t.equal(await page.getByRole('cell', { name: text }).count(), 1, text);

  page.once('dialog', (dialog) => dialog.dismiss());
  await press(page, 'button', 'Drain n1');
  t.strictSame(asked, [], 'it asks first');
  page.on('dialog', (dialog) => dialog.accept());
  await press(page, 'button', 'Drain n1');
  await page.getByRole('status').filter({ hasText: 'n1 has no machines.' }).waitFor();
  t.strictSame(asked, ['{"node":"n1"}']);
  const refusal = new SouthbridgeError('role-too-low', { role: 'admin', has: 'drive' });
  drains = { status: 403, json: refusal.toJSON() };
  await press(page, 'button', 'Drain n1');
  await page.getByRole('alert').filter({ hasText: refusal.message }).waitFor();
});

/** A view of the page links to a section of a document, and each section that it links to exists. */
async function checkExplained(t: Test, page: Page, server: TestServer, path: string) {
  const links = await page
    .locator('main a[href^="/docs/"]:visible')
    .evaluateAll((all) => all.map((link) => String(link.getAttribute('href'))));
  if (!path.startsWith('/docs')) t.ok(links.length > 0, `${path}: links to the document that explains it`);
  for (const link of new Set(links)) {
    const [document, section] = link.split('#');
    const response = await fetch(server.url + document);
    t.equal(response.status, 200, `${path}: ${link}`);
    if (section) t.match(await response.text(), `id="${section}"`, `${path}: ${link}`);
  }
}

/** What can be checked of each view by a program. */
async function checkViews(t: Test, { page, errors }: BrowserPage, server: TestServer, views: readonly View[]) {
  for (const { path, fill } of views) {
    await page.goto('about:blank');
    await page.goto(server.url + path);
    await fill(page);
    await checkExplained(t, page, server, path);
    await checkKeyboard(t, page, path);
    await checkAppearance(t, page, path);
    // The browser reports each refusal.
    const unexpected = errors.splice(0).filter((error) => !(path === '/#/cluster' && error.includes('status of 409')));
    t.same(unexpected, [], `${path}: no errors in the console`);
  }
}
