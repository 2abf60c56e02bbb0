import { existsSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DamagedCheckpoint, decodeCheckpoint, encodeCheckpoint } from '../../../src/server/state/checkpoint.js';
import { StateFolder } from '../../../src/server/state/folder.js';
import { pulse } from '../../support/guest.js';
import { TestServer } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { tier } from '../../support/tier.js';

const OFTEN = 10;
const NEVER = 3_600_000;

function start(stateDir: string, stateIntervalMs = NEVER): Promise<TestServer> {
  return TestServer.start({ stateDir, stateIntervalMs, machines: [] });
}

/** A folder in which machine `vm` has two checkpoints: the first of event 2, the second of event 4. */
async function twoCheckpoints(folder: string): Promise<void> {
  const server = await start(folder);
  await server.request('POST', '/v1/machines', { name: 'vm', clock: 'manual' });
  const vcpu = await server.connect('vm', 0);
  await pulse(vcpu, 20);
  await vcpu.close();
  await server.stop();
  const again = await start(folder);
  const back = await again.connect('vm', 0);
  await pulse(back, 20);
  await back.close();
  await again.stop();
}

async function sequenceOn(folder: string): Promise<number> {
  const server = await start(folder);
  const { sequence } = await server.get('/v1/machines/vm');
  await server.stop();
  return Number(sequence);
}

/** The values of a metric, by its name without the prefix. */
async function metric(server: TestServer, name: string): Promise<number> {
  const [, value] = new RegExp(`^southbridge_${name} (\\S+)$`, 'm').exec(await server.get('/metrics')) ?? [];
  return Number(value);
}

t.test('a checkpoint that is cut off, at whatever byte, or changed in any is found to be damaged', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const server = await start(folder);
  await server.request('POST', '/v1/machines', { name: 'vm' });
  await server.stop();
  const contents = readFileSync(join(folder, 'vm.json'));
  t.equal(decodeCheckpoint(contents, 'vm.json').config.name, 'vm');
  t.ok(encodeCheckpoint(decodeCheckpoint(contents, 'vm.json')).equals(contents));
  const unnoticed: string[] = [];
  const look = (what: string, changed: Buffer) => {
    try {
      decodeCheckpoint(changed, 'vm.json');
      unnoticed.push(what);
    } catch (error) {
      if (!(error instanceof DamagedCheckpoint)) unnoticed.push(`${what}: ${error}`);
    }
  };
  let looked = 0;
  for (let length = 0; length < contents.length; length += length < 200 ? 1 : tier.checkpointStride) {
    look(`cut off at ${length}`, contents.subarray(0, length));
    const changed = Buffer.from(contents);
    changed[length] ^= 1 << (length % 8);
    look(`byte ${length}`, changed);
    looked += 2;
  }
  t.same(unnoticed, []);
  t.ok(looked > 400, `${looked} damaged checkpoints`);
});

t.test('a damaged checkpoint is set aside, and the one before it used', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  await twoCheckpoints(folder);
  const file = join(folder, 'vm.json');
  truncateSync(file, readFileSync(file).length - 1);
  t.equal(await sequenceOn(folder), 2, 'the state of the one before');
  t.ok(readdirSync(folder).some((name) => name.startsWith('vm.json.damaged-')));
  t.equal(await sequenceOn(folder), 2, 'and from then on there is a whole one again');

  writeFileSync(file, 'rubbish');
  writeFileSync(`${file}.previous`, '');
  const server = await start(folder);
  t.same((await server.get('/v1/machines')).machines, [], 'with none left the others are still served');
  await server.stop();
  t.equal(readdirSync(folder).filter((name) => name.includes('.damaged-')).length, 3, 'and nothing is thrown away');
});

t.test('with a full disk the server goes on, says so, and keeps the old checkpoint', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const server = await start(folder, OFTEN);
  await server.request('POST', '/v1/machines', { name: 'vm', clock: 'manual' });
  const before = readFileSync(join(folder, 'vm.json'));
  t.same((await server.get('/readyz')).state, { failure: null, failing: 0 });
  // Where the new file would be written there is no space.
  symlinkSync('/dev/full', join(folder, 'full.json.new'));
  t.match(await server.request('POST', '/v1/machines', { name: 'full' }), {
    status: 507,
    body: { error: { code: 'state-no-space' } },
  });
  t.equal(await metric(server, 'checkpoint_failures_total'), 1);
  t.equal((await server.get('/v1/machines')).machines.length, 1);
  t.ok(readFileSync(join(folder, 'vm.json')).equals(before));
  // The next round finds space again.
  while ((await server.get('/readyz')).state.failure !== null);
  t.equal((await server.request('POST', '/v1/machines', { name: 'full' })).status, 201);
  t.ok(existsSync(join(folder, 'full.json')));
  t.ok((await metric(server, 'checkpoints_total')) >= 2);
  t.ok((await metric(server, 'checkpoint_bytes_total')) > before.length);
  await server.stop();
});

t.test('leftovers of a crash do no harm', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  await twoCheckpoints(folder);
  writeFileSync(join(folder, 'vm.json.new'), 'half of a check');
  t.equal(await sequenceOn(folder), 4);
  t.notOk(existsSync(join(folder, 'vm.json.new')));
  const opened = await StateFolder.open(folder);
  t.same(await opened.names(), { kept: ['vm'], deleted: [] });
  await opened.close();
});
