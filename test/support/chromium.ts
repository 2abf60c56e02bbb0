import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The program of an installed browser, if there is one. */
export const CHROMIUM = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find(existsSync);

/** What tests say that cannot run. */
export const NO_CHROMIUM = CHROMIUM ? false : `skipped: none of ${NAMES.join(', ')} is in PATH`;

/** A page in a browser of its own, and what went wrong in it. */
export class BrowserPage {
  /** Errors that the console showed, exceptions, and violations of the Content-Security-Policy. */
  readonly errors: string[] = [];

  private constructor(
    readonly browser: Browser,
    readonly page: Page,
  ) {
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.errors.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.errors.push(String(error)));
    // The test runner's own limit is the only one: a busy computer may be slow.
    page.setDefaultTimeout(0);
  }

  static async open(): Promise<BrowserPage> {
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      timeout: 0,
      // Containers have no user namespaces for the sandbox, and little shared memory.
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    });
    const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, reducedMotion: 'reduce' });
    return new BrowserPage(browser, await context.newPage());
  }

  close(): Promise<void> {
    return this.browser.close();
  }
}
