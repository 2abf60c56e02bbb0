import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { runNode } from '../../../support/program.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';
import { tier } from '../../../support/tier.js';
import type { SeedsOptions, SeedsResult } from './seeds.js';

const CODE = fileURLToPath(new URL('../../../../src/server/cluster/', import.meta.url));

const SEEDS = fileURLToPath(new URL('./seeds.js', import.meta.url));
/** Of one process. */
const RUNS = 50;
const SMALL = { nodes: 4, machines: 12, faultsMs: 20_000, actionMs: 50, clocks: 'bounded' } as const;

async function simulateSeeds(options: SeedsOptions): Promise<SeedsResult> {
  const { stdout, stderr, status } = await runNode([SEEDS, JSON.stringify(options)]);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

for (const clocks of ['bounded', 'wild'] as const) {
  t.test(`${tier.smallClusters} runs of a small cluster with ${clocks} clocks violate nothing`, async (t) => {
    const { violations, claims } = await simulateSeeds({ ...SMALL, clocks, runs: tier.smallClusters });
    t.strictSame(violations, []);
    t.ok(claims > SMALL.machines * tier.smallClusters, `${claims} claims`);
  });
}

const skip = tier.clusterRuns === 0 && 'not in this tier';

t.test(`${tier.clusterRuns} runs of ${tier.clusterNodes} nodes violate nothing`, { skip }, async (t) => {
  const [nodes, machines] = [tier.clusterNodes, tier.clusterMachines];
  const options = { nodes, machines, faultsMs: 60_000, actionMs: 200, clocks: 'bounded', runs: RUNS } as const;
  for (let first = 1; first < tier.clusterRuns; first += RUNS) {
    const { violations, claims } = await simulateSeeds({ ...options, first });
    t.strictSame(violations, [], `${RUNS} runs from seed ${first}: ${claims} claims`);
  }
});

t.test('the same seed gives the same run', async (t) => {
  const options = { ...SMALL, runs: 1 };
  t.strictSame(await simulateSeeds(options), await simulateSeeds(options));
});

/** Faults in the production code, and what a run has to find. */
const BUGS: readonly {
  readonly name: string;
  readonly file: string;
  readonly code: string;
  readonly bug: string;
  readonly found: string;
  readonly clocks?: 'wild';
}[] = [
  {
    name: 'a lease is closed while its node may still act',
    file: 'members',
    code: 'seen + times.ttl + times.margin',
    bug: 'seen + times.ttl / 2',
    found: 'sent a frame',
  },
  {
    name: 'a lease counts from the answer to its renewal',
    file: 'lease',
    code: 'this.#until = sent + times.ttl',
    bug: 'this.#until = clock.now() + times.ttl',
    found: 'sent a frame',
  },
  {
    name: 'machines are claimed although the lease of their owner is open',
    file: 'steward',
    code: 'records.get(key).then(Boolean)',
    bug: 'Promise.resolve(false)',
    found: 'sent a frame',
  },
  {
    name: 'a node does not look at the time before it sends',
    file: 'lease',
    code: 'return !this.#isOver && this.parts.clock.now() < this.#until',
    bug: 'return !this.#isOver && this.#until > 0',
    found: 'sent a frame',
  },
  {
    name: 'a claim takes the checkpoint that was read before it',
    file: 'owned-machine',
    code: 'await stores.records.write(key, encode(record), revision)',
    bug: 'await stores.records.write(key, encode(record), (await stores.records.get(key))?.revision ?? revision)',
    found: 'was acknowledged',
  },
  {
    name: 'a checkpoint counts without compare-and-set',
    file: 'owned-machine',
    code: 'this.#revision = await this.stores.records.write(this.#key, encode(record), this.#revision)',
    bug: 'this.#revision = await this.stores.records.write(this.#key, encode(record), (await this.stores.records.get(this.#key)).revision)',
    found: 'follows one with|was acknowledged',
    clocks: 'wild',
  },
  {
    name: 'a node that lost its lease keeps its machines',
    file: 'node',
    code: 'for (const machine of [...this.#owned.keys()])',
    bug: 'for (const machine of [])',
    found: 'sent a frame|no live node',
  },
  {
    name: 'the checkpoint that counts is collected',
    file: 'owned-machine',
    code: 'if (checkpoint === record.checkpoint)',
    bug: 'if (false)',
    found: 'is missing|cannot be started',
  },
  {
    name: 'a write that was applied, but not answered, is taken for another node’s',
    file: 'settled-write',
    code: 'if (last && isEqual(last.value, value))',
    bug: 'if (false)',
    found: 'no live node runs',
  },
  {
    name: 'the lease of a lost node stays open',
    file: 'members',
    code: 'if (!(await closeLease(store, key, revision)))',
    bug: 'if (!(await Promise.resolve(true)))',
    found: 'no live node runs',
  },
];

/** URL of the node's code with one change. */
function withBug(t: Test, { file, code, bug }: (typeof BUGS)[number]): string {
  const folder = temporaryFolder(t);
  cpSync(CODE, folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const path = join(folder, `${file}.js`);
  const text = readFileSync(path, 'utf8');
  const parts = text.split(code);
  t.equal(parts.length, 2, `${code} is once in ${file}`);
  writeFileSync(path, parts.join(bug));
  return pathToFileURL(join(folder, 'node.js')).href;
}

for (const seeded of BUGS.filter((_, index) => index % tier.clusterBugStride === 0)) {
  t.test(`found: ${seeded.name}`, async (t) => {
    const { clocks = 'bounded', found } = seeded;
    const node = withBug(t, seeded);
    const { violations } = await simulateSeeds({ ...SMALL, clocks, runs: 200, until: found, node });
    const violation = violations.find((text) => new RegExp(found).test(text));
    t.ok(violation, violation ?? `not found in 200 runs; others: ${violations.slice(0, 3).join('; ')}`);
  });
}
