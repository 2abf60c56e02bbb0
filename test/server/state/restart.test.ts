import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { ConfigurationInput } from '../../../src/config/schema.js';
import { StateFolder } from '../../../src/server/state/folder.js';
import { FolderLock } from '../../../src/server/state/folder-lock.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  LEVEL,
  MAIN_COUNTER,
  pulse,
  route,
  timerComparator,
  timerConfiguration,
  writeEntry,
} from '../../support/guest.js';
import { TestServer } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const CONFIGURED: ConfigurationInput['machines'] = [{ name: 'default', clock: 'manual' }, { name: 'other' }];

/** Rounds come only when a test waits for one. */
function start(stateDir: string, more: ConfigurationInput = {}): Promise<TestServer> {
  return TestServer.start({ stateDir, stateIntervalMs: 3_600_000, machines: CONFIGURED, ...more });
}

/** What is on the disk at this moment, as after a crash. */
async function copyOf(folder: string, copy: string): Promise<string> {
  await cp(folder, copy, { recursive: true, filter: (file) => !file.endsWith('lock') });
  return copy;
}

async function namesOn(server: TestServer): Promise<string[]> {
  return (await server.get('/v1/machines')).machines.map(({ name }: { name: string }) => name);
}

t.test('after an orderly end all is as it was', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const first = await start(folder);
  await first.request('POST', '/v1/machines', { name: 'vm-1', clock: 'manual', locking: 'bql', vcpus: 2 });
  await first.request('POST', '/v1/machines', { name: 'halted', clock: 'realtime' });
  await first.request('DELETE', '/v1/machines/other');
  await first.request('POST', '/v1/machines/halted/pause');
  await first.request('PUT', '/v1/machines/vm-1/bql/load', { duty: 0.25, hold: '1000', mode: 'burn' });
  const vcpu = await first.connect('vm-1', 1);
  await vcpu.request({ type: 'apic', logicalId: 4, format: 'cluster' });
  await writeEntry(vcpu, 16, 0x8000 | 0x50, 1);
  await vcpu.write(timerConfiguration(0), 8, route(16) | LEVEL | ENABLE);
  await vcpu.write(timerComparator(0), 8, 1000);
  await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
  await vcpu.request({ type: 'step', ns: '5000' });
  const paths = ['', '/hpet', '/ioapic', '/bql/load'].map((part) => `/v1/machines/vm-1${part}`);
  const halted = await first.get('/v1/machines/halted');
  const emitted = async (server: TestServer) => {
    const [machine, ...views] = await Promise.all(paths.map((path) => server.get(path)));
    for (const each of machine.vcpus) each.connected = false;
    return [machine, ...views];
  };
  const before = await emitted(first);
  await first.stop();

  const second = await start(folder);
  t.same(await namesOn(second), ['default', 'halted', 'vm-1'], 'made and deleted over the API stays so');
  t.same(await emitted(second), before);
  const { state, virtualTime } = await second.get('/v1/machines/halted');
  t.same({ state, virtualTime }, { state: 'paused', virtualTime: halted.virtualTime });
  const back = await second.connect('vm-1', 1);
  await back.request({ type: 'step', ns: '5000' });
  t.match(await back.interrupt(0x50), { type: 'interrupt' }, 'a timer that was armed fires');
  await second.request('POST', '/v1/machines', { name: 'other' });
  await back.close();
  await second.stop();

  const third = await start(folder);
  t.same(await namesOn(third), ['default', 'other', 'halted', 'vm-1'], 'a machine that was made again is back');
  await third.stop();
});

t.test('after a crash nothing that was acknowledged is missing, and no event number is used twice', async (t) => {
  const base = temporaryFolder(t);
  const folder = join(base, 'state');
  const first = await start(folder);
  await first.request('POST', '/v1/machines', { name: 'vm-0' });
  await first.request('POST', '/v1/machines', { name: 'vm-1', clock: 'manual' });
  await first.request('DELETE', '/v1/machines/vm-0');
  await first.request('DELETE', '/v1/machines/default');
  const vcpu = await first.connect('vm-1', 0);
  await pulse(vcpu, 20);
  const { sequence } = await first.get('/v1/machines/vm-1');
  const crashed = await start(await copyOf(folder, join(base, 'copy')));
  t.same(await namesOn(crashed), ['other', 'vm-1'], 'the reply that a machine exists, or not, comes when that is kept');
  t.ok(Number((await crashed.get('/v1/machines/vm-1')).sequence) > Number(sequence) + 2 ** 30);
  await crashed.stop();
  await vcpu.close();
  await first.stop();
});

t.test('the main counter goes on, or jumps by what has passed', async (t) => {
  const base = temporaryFolder(t);
  const folder = join(base, 'state');
  const first = await start(folder);
  const vcpu = await first.connect('other', 0);
  await vcpu.write(GENERAL_CONFIGURATION, 8, 1);
  const before = await vcpu.read(MAIN_COUNTER, 8);
  await first.stop();
  await copyOf(folder, join(base, 'copy'));
  const counterOn = async (server: TestServer) =>
    BigInt((await server.get('/v1/machines/other/mmio/0xfed000f0?size=8')).value);
  const continued = await start(folder);
  t.ok((await counterOn(continued)) > before, 'it goes on');
  // The wall clock has passed the time of the counter since: how long the first one had been closed is in it.
  const jumped = await start(join(base, 'copy'), { stateCounter: 'jump' });
  const [late, later] = [await counterOn(continued), await counterOn(jumped)];
  t.ok(later > late, 'and ahead of one that does not jump');
  await continued.stop();
  await jumped.stop();
});

t.test('a configured machine that is configured otherwise', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const first = await start(folder);
  const vcpu = await first.connect('default', 0);
  await vcpu.write(timerComparator(0), 8, 77);
  await vcpu.close();
  await first.request('POST', '/v1/machines', { name: 'api', vcpus: 3 });
  await first.stop();

  const second = await start(folder, { machines: [{ name: 'default', clock: 'manual', vcpus: 2 }, { name: 'api' }] });
  t.equal((await second.get('/v1/machines/default')).vcpus.length, 2, 'has what is configured now');
  t.match((await second.get('/v1/machines/default/mmio/0xfed00108?size=8')).value, /0x0*4d$/, 'and its old state');
  t.equal((await second.get('/v1/machines/api')).vcpus.length, 3, 'one of the API stays what it is');
  t.same(await namesOn(second), ['default', 'api', 'other'], 'one that is configured no more is still there');
  await second.stop();

  const third = await start(folder, { machines: [{ name: 'default', clock: 'realtime' }] });
  t.equal((await third.get('/v1/machines/default')).clock, 'realtime');
  t.match(
    (await third.get('/v1/machines/default/mmio/0xfed00108?size=8')).value,
    /0x0*f+$/,
    'is new if it does not fit',
  );
  t.ok(
    (await readdir(folder)).some((file) => file.startsWith('default.json.replaced-')),
    'and the old one is set aside',
  );
  await third.stop();
});

t.test('two servers cannot share a folder', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const first = await start(folder);
  await t.rejects(start(folder), { code: 'state-dir-in-use' });
  await first.stop();
  const second = await start(folder);
  await second.stop();
  await t.rejects(start(join(folder, 'default.json', 'below')), { code: 'state-dir-unusable' });
});

/** What an operator may do to a folder under a server. */
const REPLACEMENTS: { readonly [what: string]: (folder: string) => void } = {
  removed: (folder) => rmSync(folder, { recursive: true }),
  'removed and made again': (folder) => {
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
  },
  'moved away': (folder) => renameSync(folder, `${folder}-moved`),
  'without its lock': (folder) => rmSync(join(folder, 'lock')),
};

for (const [what, replace] of Object.entries(REPLACEMENTS)) {
  t.test(`a folder that is ${what} under a server stays this server's`, async (t) => {
    const folder = join(temporaryFolder(t), 'state');
    const first = await start(folder);
    replace(folder);
    await t.rejects(start(folder), { code: 'state-dir-in-use' }, 'no second server is admitted');
    t.equal((await first.request('POST', '/v1/machines', { name: 'new' })).status, 201);
    t.same(await StateFolder.open(folder).catch(({ code }) => code), 'state-dir-in-use');
    await first.stop();
    t.same(
      (await readdir(folder)).filter((file) => file.endsWith('.json')).sort(),
      ['default.json', 'new.json', 'other.json'],
      'all machines are written again',
    );
    const second = await start(folder);
    t.same(await namesOn(second), ['default', 'other', 'new']);
    await second.stop();
  });
}

t.test('a folder that another server took is not written', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const first = await start(folder);
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  // As a server of another container or user: the lock outside the folder does not exclude it.
  const other = await FolderLock.take(folder);
  t.match(await first.request('POST', '/v1/machines', { name: 'new' }), {
    status: 503,
    body: { error: { code: 'state-unavailable', reason: /another server \(process \d+\) has taken it/ } },
  });
  t.match(await first.request('DELETE', '/v1/machines/other'), { status: 503 });
  t.match(await first.request('POST', '/v1/machines/other/restore'), { status: 503 });
  t.same(await namesOn(first), ['default', 'other']);
  t.match((await first.get('/readyz')).state.failure, /another server/);
  t.same(await readdir(folder), ['lock']);
  await other.release();
  t.equal((await first.request('DELETE', '/v1/machines/other')).status, 204, 'once it is free again it is used');
  await first.stop();
});
