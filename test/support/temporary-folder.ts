import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/**
 * A new folder, removed when all teardowns that are registered after this call have run: what a test starts later may
 * write to the folder until its own teardown ends. (`t.testdir` removes its folder before the teardowns run.)
 */
export function temporaryFolder(t: Pick<Test, 'teardown'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'southbridge-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
