import t from 'tap';
import { SOURCES, type SourceFile } from './source.js';

/** What each part of the source may import. A part is a path prefix; the longest prefix of a file's path names its part. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'src/errors.ts': ['src/errors/'],
  'src/errors/': [],
  'src/schema/': [],
  'src/core/': ['src/errors.ts'],
  'src/runtime/': ['src/core/'],
  'src/protocol/': ['src/schema/', 'src/errors.ts'],
  'src/config/': ['src/core/', 'src/schema/', 'src/errors.ts'],
  'src/client/': ['src/protocol/', 'src/errors.ts'],
  'src/server/': ['src/core/', 'src/runtime/', 'src/protocol/', 'src/config/', 'src/schema/', 'src/errors.ts'],
  'src/server/app.ts': ['src/server/', 'routes/', 'src/protocol/', 'src/config/', 'src/schema/', 'src/errors.ts'],
  'src/server/boot.ts': ['src/server/', 'src/runtime/', 'routes/', 'src/config/', 'src/errors.ts'],
  'routes/': [
    'src/server/documents/',
    'src/server/service/',
    'src/server/streams/',
    'src/server/security/',
    'src/server/metrics/',
    'src/protocol/',
    'src/config/',
    'src/schema/',
    'src/errors.ts',
  ],
  'src/lab/': [
    'src/core/',
    'src/runtime/',
    'src/protocol/',
    'src/client/',
    'src/config/',
    'src/schema/',
    'src/errors.ts',
  ],
  'src/lab/demo/': ['src/lab/', 'src/server/boot.ts', 'src/core/', 'src/config/'],
  'src/doctor/': ['src/config/', 'src/runtime/', 'src/server/state/', 'src/server/security/', 'src/errors.ts'],
  'src/docs/': ['src/', 'routes/'],
  'src/cli/': ['src/', 'routes/'],
  'src/cli.ts': ['src/'],
};

/** Only these import the lab. */
const LAB_USERS = ['src/lab/', 'src/docs/', 'src/cli/'];

function partOf(path: string): string {
  const parts = Object.keys(ALLOWED).filter((part) => path.startsWith(part));
  return parts.sort((a, b) => b.length - a.length)[0] ?? '';
}

t.test('every import is allowed', async (t) => {
  const refused = SOURCES.flatMap(({ path, imports }) => {
    const part = partOf(path);
    if (!part) return [`${path} belongs to no part`];
    const allowed = part === path ? ALLOWED[part] : [part, ...ALLOWED[part]];
    return imports
      .filter((target) => !allowed.some((prefix) => target.startsWith(prefix)))
      .map((target) => `${path} imports ${target}`);
  });
  t.ok(SOURCES.length > 300, `${SOURCES.length} files`);
  t.strictSame(refused, []);
});

t.test('only commands and generated documents import the lab', async (t) => {
  const users = SOURCES.filter(({ imports }) => imports.some((target) => target.startsWith('src/lab/')));
  t.strictSame(
    users.map(({ path }) => path).filter((path) => !LAB_USERS.some((part) => path.startsWith(part))),
    [],
  );
});

/** The nodes of one circle of imports, or undefined if there is none. */
function circle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): readonly string[] | undefined => {
    if (finished.has(file)) return undefined;
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    path.push(file);
    for (const target of graph.get(file) ?? []) {
      const found = visit(target);
      if (found) return found;
    }
    path.pop();
    finished.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const found = visit(file);
    if (found) return found;
  }
  return undefined;
}

t.test('no file imports itself through others, types included', async (t) => {
  t.strictSame(
    circle(
      new Map([
        ['a', ['b', 'c']],
        ['c', ['a']],
      ]),
    ),
    ['a', 'c', 'a'],
  );
  t.equal(circle(new Map(SOURCES.map(({ path, imports }) => [path, imports]))), undefined);
});

type Imports = Pick<SourceFile, 'path' | 'imports'>;

/** Of each folder below `src`: which of its sub-folders import which others. A file belongs to all folders that it is in. */
function subfolderImports(files: readonly Imports[]): Map<string, Map<string, string[]>> {
  const folders = new Map<string, Map<string, string[]>>();
  for (const { path, imports } of files) {
    for (const target of imports) {
      const [from, to] = [path.split('/').slice(0, -1), target.split('/').slice(0, -1)];
      const common = from.findIndex((folder, depth) => folder !== to[depth]);
      // Without two different sub-folders, one of the files is in the folder itself.
      if (common < 1 || common >= to.length) continue;
      const folder = from.slice(0, common).join('/');
      const graph = folders.get(folder) ?? new Map<string, string[]>();
      folders.set(folder, graph.set(from[common], [...(graph.get(from[common]) ?? []), to[common]]));
    }
  }
  return folders;
}

function subfolderCircles(files: readonly Imports[]): string[] {
  return [...subfolderImports(files)].flatMap(([folder, graph]) => {
    const found = circle(graph);
    return found ? [`${folder}: ${found.join(' → ')}`] : [];
  });
}

t.test('sub-folders of a folder import each other one way, also through others', async (t) => {
  t.ok((subfolderImports(SOURCES).get('src/runtime')?.size ?? 0) > 3);
  t.strictSame(subfolderCircles(SOURCES), []);
});

t.test('an import against that direction is found, of every pair', async (t) => {
  for (const [folder, graph] of subfolderImports(SOURCES)) {
    for (const [from, targets] of graph) {
      for (const to of new Set(targets)) {
        const wrong = { path: `${folder}/${to}/wrong.ts`, imports: [`${folder}/${from}/any.ts`] };
        t.match(subfolderCircles([...SOURCES, wrong]), [new RegExp(`^${folder}: `)], `${wrong.path} imports ${from}`);
      }
    }
  }
});
