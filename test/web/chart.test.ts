import t from 'tap';
import { BrowserPage, NO_CHROMIUM } from '../support/chromium.js';
import { TestServer } from '../support/server.js';
import { tier } from '../support/tier.js';

const skip = NO_CHROMIUM || (tier.testsWholePage ? false : 'skipped: it runs in the tiers ci and long');

/** Runs in the page: the seconds that the time axis of a chart shows after a point at each of these times (s). */
const SHOWN_SECONDS = `async (times) => {
  const { Chart } = await import('/page/js/kit/chart.js');
  const chart = new Chart([{ name: 'reads', colour: '--accent' }], { label: 'Reads', unit: ' /s' });
  const { now } = performance;
  try {
    const shown = [];
    for (const time of times) {
      performance.now = () => 1000 * time;
      chart.add([1]);
      // uPlot sets its scales in a microtask.
      await undefined;
      shown.push(chart.plot.scales.x.max - chart.plot.scales.x.min);
    }
    return shown;
  } finally {
    performance.now = now;
  }
}`;

t.test('the time axis of a chart fits its data: 10 s at least, and 2 minutes at most', { skip }, async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const browser = await BrowserPage.open();
  t.teardown(() => browser.close());
  await browser.page.goto(`${server.url}/`);
  const shown = await browser.page.evaluate(`(${SHOWN_SECONDS})([100, 103, 110, 145, 219, 230, 500])`);
  t.same(shown, [10, 10, 10, 45, 119, 120, 10], 'old points leave');
});
