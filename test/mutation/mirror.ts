import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Mutant, mutated } from './mutants.js';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Not linked. */
const OWN = ['.mutation', '.evidence', '.git', 'dist'];

/** A copy of the build in which mutants are applied. All else of the repository is linked beside it, for tests that read it. */
export class Mirror {
  readonly root = join(ROOT, '.mutation');

  constructor() {
    rmSync(this.root, { recursive: true, force: true });
    mkdirSync(this.root, { recursive: true });
    cpSync(join(ROOT, 'dist'), join(this.root, 'dist'), { recursive: true });
    for (const name of readdirSync(ROOT)) {
      if (!OWN.includes(name)) symlinkSync(join(ROOT, name), join(this.root, name));
    }
  }

  /** Calls `use` while the mutant is in the copy. */
  with<T>(mutant: Mutant, use: () => T): T {
    const target = join(this.root, 'dist/src', mutant.file);
    const original = readFileSync(target, 'utf8');
    writeFileSync(target, mutated(mutant));
    try {
      return use();
    } finally {
      writeFileSync(target, original);
    }
  }

  /** Runs a program of the copy; the signal is set if it took longer than `timeout` (ms). */
  run(program: string, environment: NodeJS.ProcessEnv, timeout: number): SpawnSyncReturns<string> {
    return spawnSync(process.execPath, [program], {
      cwd: this.root,
      env: { ...process.env, ...environment },
      encoding: 'utf8',
      timeout,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  }
}
