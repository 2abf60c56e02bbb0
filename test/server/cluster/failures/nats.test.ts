import { spawnSync } from 'node:child_process';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { FailingCluster } from '../../../support/failing-cluster.js';
import { NatsCluster, NO_NATS } from '../../../support/nats.js';
import { tier } from '../../../support/tier.js';

const MACHINES = tier.failingMachines;
const skip = MACHINES > 0 ? NO_NATS : 'in the tier long only: each takes half a minute';

const OUTAGE_MS = 20_000;

t.test('one of three NATS servers is lost for 20 s', { skip }, async (t) => {
  const cluster = await FailingCluster.start(t, MACHINES);
  const [lost] = cluster.nats.servers;
  await lost.kill();
  await setTimeout(OUTAGE_MS);
  await cluster.continues();
  lost.start();
  await cluster.nats.ready();
  await cluster.continues();
  await cluster.finish('one NATS server lost for 20 s');
});

t.test('two of three NATS servers are lost for 20 s', { skip }, async (t) => {
  const cluster = await FailingCluster.start(t, MACHINES);
  const lost = cluster.nats.servers.slice(1);
  await Promise.all(lost.map((server) => server.kill()));
  await setTimeout(OUTAGE_MS);
  for (const node of cluster.nodes) {
    t.equal((await node.request('GET', '/readyz')).status, 503, 'no node has a lease');
    t.equal((await node.request('GET', '/v1/machines')).body.error?.code, 'lease-lost');
  }
  const began = performance.now();
  for (const server of lost) server.start();
  await cluster.nats.ready();
  const ms = await cluster.runsOn(cluster.nodes);
  await cluster.continues();
  const { restored } = await cluster.finish(
    `two NATS servers lost for 20 s, all machines ${Math.round(ms)} ms after a quorum, guests after ${Math.round(performance.now() - began)} ms`,
  );
  t.equal(restored, MACHINES, 'all machines have a new epoch');
});

const NO_MOUNT = process.getuid?.() !== 0 && 'only root may mount a file system';

/** A file system of `size` in place of a folder. */
function mount(t: Test, folder: string, size: string): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', folder], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  t.teardown(() => spawnSync('umount', ['-l', folder]));
}

/** Leaves no byte of a file system free; returns what frees them. */
function fill(folder: string): () => void {
  const path = join(folder, 'ballast');
  const file = openSync(path, 'w');
  for (let size = 1 << 20; size > 0; ) {
    try {
      writeSync(file, Buffer.alloc(size));
    } catch {
      size >>= 1;
    }
  }
  closeSync(file);
  return () => unlinkSync(path);
}

t.test('the disk of a NATS server is full for 20 s', { skip: skip || NO_MOUNT }, async (t) => {
  let disk = '';
  const nats = await NatsCluster.start(t, 3, (folder, server) => {
    if (server !== 0) return;
    disk = folder;
    mount(t, folder, '256m');
  });
  const cluster = await FailingCluster.start(t, MACHINES, { nats });
  const free = fill(disk);
  await setTimeout(OUTAGE_MS);
  await cluster.continues();
  await cluster.marks();
  free();
  await nats.servers[0].kill();
  nats.servers[0].start();
  await nats.ready();
  await cluster.continues();
  await cluster.marks();
  await cluster.finish('a full disk of one NATS server');
});
