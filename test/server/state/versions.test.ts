import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { savedWords } from '../../../src/core/machine/saved-state.js';
import {
  CHECKPOINT_VERSION,
  type Checkpoint,
  CheckpointSchema,
  decodeCheckpoint,
} from '../../../src/server/state/checkpoint.js';
import { pulse } from '../../support/guest.js';
import { TestServer } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

/**
 * Digest of the form that each version has. A released version keeps its digest. If the form changes after a release, raise
 * CHECKPOINT_VERSION and add a row: a server of the former version then refuses to start, and sets no checkpoint aside.
 */
const FORMS: Readonly<Record<number, string>> = {
  2: '914baf7092e82b2259d018020e19f8c0aed9e60a03c04948815ee97cd750b43d',
};

function start(stateDir: string): Promise<TestServer> {
  return TestServer.start({ stateDir, stateIntervalMs: 3_600_000, machines: [] });
}

/** A folder with a checkpoint of machine `vm`, whose last event is number 2. */
async function oneCheckpoint(folder: string): Promise<string> {
  const server = await start(folder);
  await server.request('POST', '/v1/machines', { name: 'vm', clock: 'manual' });
  const vcpu = await server.connect('vm', 0);
  await pulse(vcpu, 20);
  await vcpu.close();
  await server.stop();
  return join(folder, 'vm.json');
}

/** The contents that a server would write whose checkpoints have this version. */
function written(version: number, checkpoint: unknown): string {
  const body = `${JSON.stringify(checkpoint)}\n`;
  const head = `southbridge-checkpoint version=${version} bytes=${Buffer.byteLength(body)}`;
  const sha256 = createHash('sha256').update(`${head}\n`).update(body).digest('hex');
  return `${head} sha256=${sha256}\n${body}`;
}

const read = (file: string): Checkpoint => decodeCheckpoint(readFileSync(file), file);

/** What a schema allows, without the texts that only explain it. */
function formOf(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(formOf);
  if (typeof schema !== 'object' || schema === null) return schema;
  const isText = (key: string, value: unknown) =>
    key === 'examples' || key === 'default' || (key === 'description' && typeof value === 'string');
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => !isText(key, value))
      .map(([key, value]) => [key, formOf(value)]),
  );
}

function digestOfForm(): string {
  const words = savedWords().map(({ name }) => name);
  return createHash('sha256')
    .update(JSON.stringify([formOf(CheckpointSchema), words]))
    .digest('hex');
}

t.test('the form of a checkpoint changes only with its version', async (t) => {
  t.equal(digestOfForm(), FORMS[CHECKPOINT_VERSION], 'a changed form after a release needs a new CHECKPOINT_VERSION');
  t.equal(Math.max(...Object.keys(FORMS).map(Number)), CHECKPOINT_VERSION);
});

t.test('a checkpoint of a later version stops the start and is not set aside', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const file = await oneCheckpoint(folder);
  const own = readFileSync(file);
  const version = CHECKPOINT_VERSION + 1;
  // A later server has written a member that this one does not know.
  writeFileSync(file, written(version, { ...read(file), added: true }));
  const files = readdirSync(folder);
  const later = readFileSync(file);
  await t.rejects(start(folder), {
    code: 'checkpoint-version',
    message: `vm.json has version ${version}; this server reads versions 1 to ${CHECKPOINT_VERSION}. Start the server that wrote it, or move`,
  });
  t.same(readdirSync(folder), files, 'every file is where it was');
  t.ok(readFileSync(file).equals(later));
  writeFileSync(file, own);
  const server = await start(folder);
  t.equal(
    (await server.get('/v1/machines/vm')).sequence,
    '2',
    'the refused start keeps the mark of an orderly shutdown',
  );
  await server.stop();
});

t.test('a checkpoint of version 1 is restored, and written in the new form', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const file = await oneCheckpoint(folder);
  const { epoch: _, vcpus, ...rest } = read(file);
  const old = vcpus.map(({ logicalId, format }) => ({ logicalId, format }));
  writeFileSync(file, written(1, { ...rest, vcpus: old }));
  const server = await start(folder);
  t.equal((await server.get('/v1/machines/vm')).sequence, '2');
  const vcpu = await server.connect('vm', 0);
  await pulse(vcpu, 20);
  await vcpu.close();
  await server.stop();
  t.match(readFileSync(file, 'latin1'), `southbridge-checkpoint version=${CHECKPOINT_VERSION} `);
  t.ok(read(file).epoch);
});
