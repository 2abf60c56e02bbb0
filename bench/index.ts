import { availableParallelism, cpus } from 'node:os';
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
for (const [name, bench] of Object.entries(BENCHES)) {
  if (only !== undefined && only !== name) continue;
  for (const row of await bench()) {
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
