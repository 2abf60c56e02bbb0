import t from 'tap';
import { loadConfiguration } from '../../src/config/sources.js';
import { RemoteTarget } from '../../src/replay/remote.js';
import { replayAll } from '../../src/replay/runner.js';
import { startServer } from '../../src/server.js';
import { GOLDEN, GUEST, PLAIN, SILENT } from './vectors.js';

const { configuration } = loadConfiguration({});
const server = await startServer({ ...configuration, port: 0, logLevel: 'silent' });
t.teardown(() => server.close());

/** The names of the server's machines. */
async function machines(): Promise<string[]> {
  const response = await fetch(`${server.url}/v1/machines`);
  const { machines } = (await response.json()) as { machines: { name: string }[] };
  return machines.map(({ name }) => name);
}

for (const locking of ['bql', 'lockless-timer', 'lockless-irq'] as const) {
  for (const profile of ['qemu-11.1', 'datasheet', 'standard'] as const) {
    const traces = profile === 'qemu-11.1' ? GOLDEN : PLAIN;
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

t.test('guest traces over WebSocket', async (t) => {
  const target = new RemoteTarget(new URL(server.url));
  const report = await replayAll(GUEST, target, { locking: 'lockless-timer' }, SILENT);
  t.same(
    report.results.filter((result) => !result.passed),
    [],
  );
  t.equal(report.passed, 2);
});

t.test('a trace that does not fit is told of as in-process', async (t) => {
  const traces = GOLDEN.filter(({ file }) => file.endsWith('/wired_periodic_edge.jsonl'));
  const options = { locking: 'lockless-timer', profile: 'datasheet' } as const;
  const report = await replayAll(traces, new RemoteTarget(new URL(server.url)), options, SILENT);
  t.equal(report.failed, 1);
  t.match(report.results[0].mismatch, { operation: /^clock_step/, expected: /^apic.*, apic/, got: /^apic[^)]*\)$/ });
  t.same(await machines(), ['default']);
});
