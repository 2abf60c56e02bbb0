import { relative } from 'node:path';

/** How documents and other commands call this program. */
export function ownCommand(): string {
  return 'npx southbridge';
}

/** A path for a shell in this folder. */
export function fromHere(path: string): string {
  const shorter = relative(process.cwd(), path) || '.';
  return /^[\w./-]+$/.test(shorter) ? shorter : `'${shorter.replaceAll("'", "'\\''")}'`;
}
