import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rows as accesses } from './accesses.js';
import { rows as clients } from './clients.js';
import { rows as conformance } from './conformance.js';
import { rows as counterReads } from './counter-reads.js';
import { rows as deadlocks } from './deadlocks.js';
import { rows as idle } from './idle.js';
import { rows as load } from './load.js';
import { rows as locks } from './locks.js';
import { printRow, type Row } from './rows.js';
import { rows as scrape } from './scrape.js';
import { rows as seam } from './seam.js';
import { rows as subscribers } from './subscribers.js';
import { rows as timers } from './timers.js';
import { rows as trace } from './trace.js';
import { rows as wire } from './wire.js';

/** Every benchmark whose figures are claims; `--only NAME` runs one, `--json` prints what came of it. */
const BENCHES: { readonly [name: string]: () => Promise<Row[]> } = {
  locks,
  trace,
  'counter-reads': counterReads,
  deadlocks,
  scrape,
  accesses,
  seam,
  wire,
  clients,
  subscribers,
  timers,
  idle,
  load,
  conformance,
};

const { values } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' } } });
const { json, only } = values;
if (only !== undefined && !Object.hasOwn(BENCHES, only)) {
  process.stderr.write(`no benchmark ${only}; there are ${Object.keys(BENCHES).join(', ')}\n`);
  process.exit(2);
}
const all: Row[] = [];
for (const name of only === undefined ? Object.keys(BENCHES) : [only]) {
  for (const row of only === undefined ? inOwnProcess(name) : await BENCHES[name]()) {
    all.push(row);
    if (!json) printRow(row);
  }
}
const machine = {
  cpu: cpus()[0].model,
  cores: availableParallelism(),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
};
if (json) process.stdout.write(`${JSON.stringify({ machine, rows: all }, null, 2)}\n`);
if (all.some(({ ok }) => ok === false)) process.exitCode = 1;

/** What one benchmark has had compiled, for designs and machines of its own, would slow the next one down. */
function inOwnProcess(name: string): Row[] {
  const program = [fileURLToPath(import.meta.url), '--only', name, '--json'];
  const { stdout } = spawnSync(process.execPath, program, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 2 ** 20,
  });
  if (!stdout) throw new Error(`the benchmark ${name} broke off`);
  return JSON.parse(stdout).rows;
}
