// Packs the built client as the package southbridge-client: the files that its two entries lead to, as they are.
//
//   npm run pack:client [-- FOLDER]
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const built = join(root, 'dist/src');
const destination = resolve(process.argv[2] ?? '.');
const ENTRIES = { '.': 'client/index', './sync': 'client/sync/index' };
/** Started as a worker, by its URL. */
const WORKER = 'client/sync/socket-thread';

/** Every file of the build that these lead to, with its types. */
function closure(modules) {
  const found = new Set();
  const waiting = modules.flatMap((module) => [`${module}.js`, `${module}.d.ts`]).map((file) => join(built, file));
  for (let file = waiting.pop(); file; file = waiting.pop()) {
    if (found.has(file) || !existsSync(file)) continue;
    found.add(file);
    for (const [, target] of readFileSync(file, 'utf8').matchAll(
      /(?:\bfrom|\bimport|\bimport\() ?['"](\.[^'"]+)['"]/g,
    )) {
      const script = resolve(dirname(file), target);
      waiting.push(file.endsWith('.d.ts') ? script.replace(/\.js$/, '.d.ts') : script);
    }
  }
  return [...found];
}

const { version, license, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const exported = ([name, module]) => [name, { types: `./${module}.d.ts`, default: `./${module}.js` }];
const description = {
  name: 'southbridge-client',
  version,
  description: 'Client of Southbridge, which serves the HPET and IOAPIC of virtual machines to remote vCPUs',
  license,
  type: 'module',
  engines,
  exports: { ...Object.fromEntries(Object.entries(ENTRIES).map(exported)), './package.json': './package.json' },
};

const folder = mkdtempSync(join(tmpdir(), 'southbridge-client-'));
try {
  for (const file of closure([...Object.values(ENTRIES), WORKER])) {
    const copy = join(folder, relative(built, file));
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(file, copy);
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(description, null, 2)}\n`);
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  copyFileSync(join(root, 'docs/clients.md'), join(folder, 'README.md'));
  mkdirSync(destination, { recursive: true });
  const output = execFileSync('npm', ['pack', '--silent', '--pack-destination', destination], { cwd: folder });
  process.stdout.write(output);
} finally {
  rmSync(folder, { recursive: true });
}
