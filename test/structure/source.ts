import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A source file: its path from the root, and the files of this repository that it imports, types included. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const IMPORT = /(?:\bfrom\s+|\bimport\s*\(?\s*)'(\.[^']+)'/g;

/** TypeScript files of src/ and routes/. */
export const SOURCES: readonly SourceFile[] = ['src', 'routes'].flatMap((folder) =>
  readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => read(`${folder}/${name}`)),
);

function read(path: string): SourceFile {
  const text = readFileSync(`${ROOT}${path}`, 'utf8');
  const imports = [...text.matchAll(IMPORT)].map(([, target]) =>
    posix.join(posix.dirname(path), target).replace(/\.js$/, '.ts'),
  );
  return { path, text, imports: [...new Set(imports)] };
}

/** Generated code is held to its source elsewhere, and may have any length. */
export function isGenerated(path: string): boolean {
  return path.startsWith('src/protocol/gen/');
}
