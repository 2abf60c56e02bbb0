import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { halfSpread, median } from './measure.js';
import { type Row, row } from './rows.js';
import { copyModules } from './seam-bypass.js';
import { ACCESSES } from './seam-load.js';

/**
 * What the seam of shared memory costs a device in this process: the compiled modules as they are, twice, and with the
 * seam taken out (`seam-bypass.ts`), each loaded by itself, alternately in one run.
 */
const ROUNDS = 21;
const TIMES = 30_000;
/** Of the throughput without the seam, at least. */
const SMALLEST_RATIO = 0.95;
const DIST = fileURLToPath(new URL('..', import.meta.url));

type Turns = ReturnType<typeof import('./seam-load.js').turns>;

async function loaded(into: string, bypassed: boolean): Promise<Turns> {
  const path = copyModules(DIST, 'bench/seam-load.js', into, bypassed);
  const module: typeof import('./seam-load.js') = await import(pathToFileURL(path).href);
  return module.turns();
}

/** Millions of accesses per second of processor time, because a machine that others use would show in the clock. */
function throughput(run: Turns): number {
  const begin = process.cpuUsage();
  run(TIMES);
  const { user, system } = process.cpuUsage(begin);
  return (TIMES * ACCESSES) / (user + system);
}

export async function rows(): Promise<Row[]> {
  const into = mkdtempSync(join(DIST, 'seam-'));
  try {
    const bypassed = await loaded(join(into, 'bypassed'), true);
    const variants = [bypassed, await loaded(join(into, 'seam'), false), await loaded(join(into, 'again'), false)];
    return measured(variants);
  } finally {
    rmSync(into, { recursive: true });
  }
}

function measured(variants: readonly Turns[]): Row[] {
  const rounds = variants.map((): number[] => []);
  for (let i = 0; i < 5; i++) for (const run of variants) throughput(run);
  for (let round = 0; round < ROUNDS; round++) {
    // Who goes first has the warmer or the colder processor: each does in turn.
    for (let i = 0; i < variants.length; i++) {
      const which = (round + i) % variants.length;
      rounds[which].push(throughput(variants[which]));
    }
  }
  const [without, seam, again] = rounds.map(median);
  const ofItself = rounds[1].map((rate, round) => rounds[2][round] / rate);
  const claim = { better: 'higher', baseline: without } as const;
  return [
    row('device accesses in process, seam bypassed', without, 'M/s', { better: 'higher' }),
    row('  through the seam, as it is in production', seam, 'M/s', { ...claim, target: SMALLEST_RATIO }),
    row('  A/A: the same, loaded again', again, 'M/s', { better: 'higher', baseline: seam }),
    row('  A/A: half of what lies between the quartiles', halfSpread(ofItself), '', { better: 'lower' }),
  ];
}
