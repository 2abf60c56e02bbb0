import { fileURLToPath } from 'node:url';
import t from 'tap';
import { PRESET_NAMES, type PresetName } from '../../../src/core/locking/presets.js';
import { classOfPreset } from '../../../src/core/locking/verdicts.js';
import type { Workload } from '../../../src/lab/load/loaded-machine.js';
import { guest } from '../../../src/lab/load/workloads/guest.js';
import { WORKLOADS } from '../../../src/lab/load/workloads/index.js';
import { readTrace } from '../../../src/lab/replay/trace.js';
import { TestServer } from '../../support/server.js';
import { tier } from '../../support/tier.js';
import { loadOn } from './loads.js';

const VCPUS = 8;
/** Loads at a time. */
const AT_ONCE = 4;

const trace = fileURLToPath(new URL('../../../../test/vectors/guest/linux-6.1-oneshot-up.jsonl', import.meta.url));
const workloads: readonly Workload[] = [...WORKLOADS, guest(readTrace(trace))];
const safe = PRESET_NAMES.filter((name) => classOfPreset(name) === 'safe');

/** Every workload and every preset at least once, or each with each. */
function pairs(): (readonly [Workload, PresetName])[] {
  if (!tier.allLoads) return workloads.map((workload, index) => [workload, safe[index % safe.length]] as const);
  return safe.flatMap((preset) => workloads.map((workload) => [workload, preset] as const));
}

t.test(`${VCPUS} vCPUs lose and double nothing, whatever they do, under the safe presets`, async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const waiting = pairs();
  let totals = { received: 0, operations: 0 };
  const worker = async () => {
    for (let pair = waiting.shift(); pair; pair = waiting.shift()) {
      const [workload, locking] = pair;
      const report = await loadOn(server.url, { vcpus: VCPUS, workload, locking, durationMs: tier.loadMs });
      const { interrupts, faults, faultExamples, operations } = report;
      t.match(
        { ...interrupts, faults, faultExamples },
        { lost: 0, doubled: 0, skipped: 0, examples: [], faults: 0, faultExamples: [] },
        `${workload.name} under ${locking}: ${operations} operations, ${interrupts.received} interrupts`,
      );
      t.equal(interrupts.reported, interrupts.received, 'the IRQ stream and the vCPUs agree');
      t.ok(report.ok);
      t.ok(operations > 0, 'something was done');
      totals = { received: totals.received + interrupts.received, operations: totals.operations + operations };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  t.comment(`${totals.operations} operations, ${totals.received} interrupts`);
  t.ok(totals.received > 0);
  const { machines } = await server.get('/v1/machines');
  t.same(
    machines.map(({ name }: { name: string }) => name),
    ['default'],
    'no machine is left',
  );
});
