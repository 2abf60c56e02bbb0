import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROLES, type Role } from '../../src/server/security/roles.js';
import { addToken } from '../../src/server/security/token-file.js';

/** A folder of its own for files of a test. */
export function temporaryFolder(t: { teardown(end: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'southbridge-security-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

export interface RoleTokens {
  readonly file: string;
  readonly tokens: { readonly [role in Role]: string };
}

/** A token file with one token of each role, of its name. */
export function roleTokens(t: { teardown(end: () => void): void }): RoleTokens {
  const file = join(temporaryFolder(t), 'tokens');
  const tokens = Object.fromEntries(ROLES.map((role) => [role, addToken(file, role, role)]));
  return { file, tokens: tokens as RoleTokens['tokens'] };
}
