import { readFileSync } from 'node:fs';
import t from 'tap';
import { MACHINE_AREAS, MACHINE_WORDS } from '../../src/core/memory/map.js';
import { StatisticsSlots } from '../../src/runtime/statistics/statistics-slots.js';
import { sharedMap } from '../../src/runtime/threads/shared-map.js';
import { TRACE_RECORDS } from '../../src/runtime/trace/trace-ring.js';

const page = readFileSync(new URL('../../../docs/architecture.md', import.meta.url), 'utf8');

t.test('the documented memory of a machine is the real one', async (t) => {
  const rows = page.matchAll(/^\| (\d+)–(\d+) +\| `(\w+)` /gm);
  t.same(
    [...rows].map(([, first, last, name]) => [name, Number(first), Number(last)]),
    MACHINE_AREAS.map(({ name, start, end }) => [name, start, end - 1]),
  );
});

t.test('the documented shared memory is the real one', async (t) => {
  const map = sharedMap({
    machines: 1024,
    vcpuThreads: 2,
    submissions: 1024,
    events: 16384,
    statisticsSlots: new StatisticsSlots(64).capacity,
    traceRecords: TRACE_RECORDS,
  });
  const starts = [
    0,
    map.statistics,
    map.mainLoopBell,
    map.kicked,
    map.viewBuffers,
    map.drains,
    map.submissionRings,
    map.lockReports,
    map.transfer,
    map.eventRing,
    map.firstMachine,
    map.traceRings,
  ];
  const rows = page.matchAll(/^\| (\d+)–(\d+) +\| [^`]/gm);
  t.same(
    [...rows].map(([, first, last]) => [Number(first), Number(last)]),
    starts.map((start, i) => [start, (starts[i + 1] ?? map.words) - 1]),
  );
  t.equal(map.traceRings - map.firstMachine, 1024 * MACHINE_WORDS);
});
