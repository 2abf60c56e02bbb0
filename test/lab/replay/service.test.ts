import t from 'tap';
import { PRESET_NAMES, type PresetName } from '../../../src/core/locking/presets.js';
import { classOfPreset } from '../../../src/core/locking/verdicts.js';
import { RemoteTarget } from '../../../src/lab/replay/remote.js';
import { replayAll } from '../../../src/lab/replay/runner.js';
import { TestServer } from '../../support/server.js';
import { tier } from '../../support/tier.js';
import { GOLDEN, GUEST, goldenOf, PIC, SILENT } from './vectors.js';

const server = await TestServer.start();
t.teardown(() => server.stop());

/** The names of the server's machines. */
async function machines(): Promise<string[]> {
  const { machines } = await server.get('/v1/machines');
  return machines.map(({ name }: { name: string }) => name);
}

/** A round of all traces takes seconds, and `golden.test.ts` has every design in its process. */
const LOCKING: readonly PresetName[] = {
  few: ['lockless-irq'] as const,
  all: PRESET_NAMES.filter((name) => ['safe', 'stale'].includes(classOfPreset(name) ?? '')),
}[tier.replayDesigns];

for (const locking of LOCKING) {
  for (const profile of ['qemu-11.1', 'datasheet', 'standard'] as const) {
    const traces = goldenOf(profile).filter((_, number) => number % tier.traceStride === 0);
    t.test(`${traces.length} golden traces over WebSocket with ${profile} under ${locking}`, async (t) => {
      const report = await replayAll(traces, new RemoteTarget(new URL(server.url)), { locking, profile }, SILENT);
      t.same(
        report.results.filter((result) => !result.passed),
        [],
      );
      t.equal(report.passed, traces.length);
      t.same(await machines(), ['default']);
    });
  }
}

t.test('8259 traces over WebSocket', async (t) => {
  const target = new RemoteTarget(new URL(server.url));
  const traces = PIC.filter((_, number) => number % tier.traceStride === 0);
  const report = await replayAll(traces, target, { locking: 'lockless-timer' }, SILENT);
  t.same(
    report.results.filter((result) => !result.passed),
    [],
  );
  t.equal(report.passed, traces.length);
});

t.test('guest traces over WebSocket', async (t) => {
  const target = new RemoteTarget(new URL(server.url));
  const traces = GUEST.filter((_, number) => number % tier.traceStride === 0);
  const report = await replayAll(traces, target, { locking: 'lockless-timer' }, SILENT);
  t.same(
    report.results.filter((result) => !result.passed),
    [],
  );
  t.equal(report.passed, traces.length);
});

t.test('a mismatching trace is reported as in-process', async (t) => {
  const traces = GOLDEN.filter(({ file }) => file.endsWith('/wired_periodic_edge.jsonl'));
  const options = { locking: 'lockless-timer', profile: 'datasheet' } as const;
  const report = await replayAll(traces, new RemoteTarget(new URL(server.url)), options, SILENT);
  t.equal(report.failed, 1);
  t.match(report.results[0].mismatch, { operation: /^clock_step/, expected: /^apic.*, apic/, got: /^apic[^)]*\)$/ });
  t.same(await machines(), ['default']);
});
