import { basename, relative } from 'node:path';

/** How this program is called from here: by its name, by npm in its own folder, or as a file. */
export function ownCommand(): string {
  const script = process.argv[1];
  if (basename(script) === 'southbridge') return 'southbridge';
  return fromHere(script) === 'dist/src/cli.js' ? 'npm run -s southbridge --' : `node ${fromHere(script)}`;
}

/** A path for a shell in this folder. */
export function fromHere(path: string): string {
  const shorter = relative(process.cwd(), path) || '.';
  return /^[\w./-]+$/.test(shorter) ? shorter : `'${shorter.replaceAll("'", "'\\''")}'`;
}
