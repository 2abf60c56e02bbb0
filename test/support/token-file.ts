import { join } from 'node:path';
import type { Test } from 'tap';
import { ROLES, type Role } from '../../src/server/security/roles.js';
import { addToken } from '../../src/server/security/token-file.js';
import { temporaryFolder } from './temporary-folder.js';

export interface RoleTokens {
  readonly file: string;
  readonly tokens: { readonly [role in Role]: string };
}

/** A token file with one token of each role, of its name. */
export function roleTokens(t: Pick<Test, 'teardown'>): RoleTokens {
  const file = join(temporaryFolder(t), 'tokens');
  const tokens = Object.fromEntries(ROLES.map((role) => [role, addToken(file, role, role)]));
  return { file, tokens: tokens as RoleTokens['tokens'] };
}
