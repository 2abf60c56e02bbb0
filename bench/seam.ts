import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { median } from './measure.js';
import { type Row, ratioRows, row } from './rows.js';
import { copyModules } from './seam-bypass.js';
import { ACCESSES } from './seam-load.js';

/**
 * What the seam of shared memory costs a device in this process: the compiled modules as they are, and, twice, with the
 * seam taken out (`seam-bypass.ts`), each loaded by itself, alternately in one run.
 */
const ROUNDS = 21;
const TIMES = 30_000;
/** Of the throughput without the seam, at least. */
const SMALLEST_RATIO = 0.95;
const DIST = fileURLToPath(new URL('../', import.meta.url));

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
    const variants = [bypassed, await loaded(join(into, 'seam'), false), await loaded(join(into, 'again'), true)];
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
  const [first, own, second] = rounds;
  const claim = { better: 'higher', target: SMALLEST_RATIO } as const;
  const bypassed = { first, second };
  return [
    row('device accesses in process, seam bypassed', median(first), 'M/s', { better: 'higher' }),
    ...ratioRows('device accesses in process, through the seam, to the seam bypassed', 'M/s', claim, own, bypassed),
  ];
}
