// What `npm pack` runs before it packs the server: the build, and a npm-shrinkwrap.json, since the overrides of
// package.json do not reach those who install the package. `postpack` removes it.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
// Standard output is for the name of the package.
const run = (...args) => execFileSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] });

if (!existsSync(`${root}node_modules/typescript`)) run('ci', '--no-audit', '--no-fund');
run('run', '-s', 'build');
copyFileSync(`${root}package-lock.json`, `${root}npm-shrinkwrap.json`);
