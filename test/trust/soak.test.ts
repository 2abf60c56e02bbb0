import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { processFigures } from '../support/process-figures.js';
import { CLI, Program, southbridgeBeside } from '../support/program.js';
import { tier } from '../support/tier.js';

/**
 * A server under mixed load for long. Memory is compared in the long tier alone, where both looks come after what a start
 * leaves behind; what must not grow at all, handles and threads, is compared in all.
 */
const skip =
  process.platform !== 'linux' && 'memory and handles are read from /proc, which this platform does not have';

t.test(`${tier.soakSeconds} s of mixed load leave nothing behind`, { timeout: 1_200_000, skip }, async (t) => {
  const server = new Program([CLI, 'serve', '--port', '0', '--log-level', 'error']);
  t.teardown(async () => {
    server.child.kill('SIGKILL');
    await server.exited;
  });
  const url = /http:\S+/.exec((await server.line()) ?? '')?.[0] ?? '';
  const pid = server.child.pid as number;
  const load = (seconds: number) =>
    southbridgeBeside(['load', '--url', url, '--workload', 'mixed', '--duration', `${seconds}s`, '--json']);

  t.equal((await load(1)).status, 0, 'warmed up');
  const before = processFigures(pid);
  const first = tier.soakSeconds / 10;
  const running = load(tier.soakSeconds);
  await sleep(first * 1000);
  const early = processFigures(pid);
  await sleep((tier.soakSeconds - first) * 1000 - 500);
  const late = processFigures(pid);
  const { status, stdout } = await running;
  t.equal(status, 0, stdout);
  t.comment(`after ${first} s ${early.residentMiB.toFixed(0)} MiB, in the end ${late.residentMiB.toFixed(0)} MiB`);
  t.comment(`${JSON.parse(stdout).operations} operations`);
  if (tier.comparesSoakMemory) t.ok(late.residentMiB <= 1.1 * early.residentMiB, 'resident memory does not grow');

  let after = processFigures(pid);
  // The connections of a client that has gone end when the server has seen it.
  while (after.descriptors > before.descriptors) {
    await sleep(50);
    after = processFigures(pid);
  }
  t.equal(after.threads, before.threads, 'no thread more');
  t.equal((await fetch(`${url}/healthz`)).status, 200);
  server.child.kill('SIGTERM');
  t.equal(await server.exited, 0);
});
