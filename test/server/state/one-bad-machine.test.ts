import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { buildApp } from '../../../src/server/app.js';
import { Admission } from '../../../src/server/security/admission.js';
import type { MachineHandle } from '../../../src/server/service/machine-handle.js';
import { Service } from '../../../src/server/service/service.js';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../../src/server/state/checkpoint.js';
import { Checkpoints } from '../../../src/server/state/checkpoints.js';
import { configuration, TestServer } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

function start(stateDir: string): Promise<TestServer> {
  return TestServer.start({ stateDir, stateIntervalMs: 3_600_000, machines: [{ name: 'configured' }] });
}

/** What can be wrong with a file whose checksum is right, or with a file that is none. */
const FAULTS: readonly (readonly [what: string, spoil: (file: string) => void])[] = [
  ['a clock below 0', spoil(({ snapshot }) => ({ ...snapshot, virtualTime: '-18446743708' }))],
  ['a clock beyond its end', spoil(({ snapshot }) => ({ ...snapshot, virtualTime: String(2n ** 63n) }))],
  ['an unknown word', spoil(({ snapshot }) => ({ ...snapshot, state: { ...snapshot.state, misspelt: 1 } }))],
  ['a missing word', spoil(({ snapshot }) => ({ ...snapshot, state: {} }))],
  [
    'a word out of range',
    spoil(({ snapshot }) => ({ ...snapshot, state: { ...snapshot.state, 'hpet.counter[0]': 1 } })),
  ],
  ['no deadlines', spoil(({ snapshot }) => ({ ...snapshot, deadlines: [] }))],
  ['a snapshot of another machine', spoil(({ snapshot }) => ({ ...snapshot, config: {} }))],
  ['a snapshot of another version', spoil(({ snapshot }) => ({ ...snapshot, version: 2 }))],
  [
    'a folder in its place',
    (file) => {
      rmSync(file);
      mkdirSync(file);
    },
  ],
  [
    'a link that leads in a circle',
    (file) => {
      rmSync(file);
      symlinkSync(file, file);
    },
  ],
];

function spoil(change: (checkpoint: Checkpoint) => object) {
  return (file: string) => {
    const checkpoint = decodeCheckpoint(readFileSync(file), file);
    writeFileSync(file, encodeCheckpoint({ ...checkpoint, snapshot: change(checkpoint) as Checkpoint['snapshot'] }));
  };
}

async function metric(server: TestServer, name: string): Promise<number> {
  return Number(new RegExp(`^southbridge_${name} (\\S+)$`, 'm').exec(await server.get('/metrics'))?.[1]);
}

t.test('machines that cannot be restored are set aside and reported, and all others start', async (t) => {
  const folder = join(temporaryFolder(t), 'state');
  const first = await start(folder);
  const lost = FAULTS.map((_, n) => `lost-${n}`);
  const older = FAULTS.map((_, n) => `older-${n}`);
  for (const name of ['good', ...lost, ...older]) {
    t.equal((await first.request('POST', '/v1/machines', { name, vcpus: 1 })).status, 201);
  }
  await first.stop();
  for (const [n, [, spoilFile]] of FAULTS.entries()) {
    for (const name of [lost[n], older[n]]) {
      const file = join(folder, `${name}.json`);
      const contents = readFileSync(file);
      rmSync(`${file}.previous`, { force: true });
      spoilFile(file);
      if (name === older[n]) writeFileSync(`${file}.previous`, contents);
    }
  }
  const configured = join(folder, 'configured.json');
  rmSync(`${configured}.previous`, { force: true });
  writeFileSync(configured, 'rubbish');

  const second = await start(folder);
  const { machines, setAside } = await second.get('/v1/machines');
  const names: string[] = machines.map(({ name }: { name: string }) => name);
  t.ok(names.includes('good') && names.includes('configured'), 'the good one is there, and the configured one as new');
  const found = new Map<string, { aside: string; reason: string }>();
  for (const each of setAside) found.set(each.machine, each);
  for (const [n, [what]] of FAULTS.entries()) {
    t.notOk(names.includes(lost[n]), `${what}: it is missing where there is no other checkpoint`);
    t.ok(names.includes(older[n]), 'and the one before it is used where there is');
    for (const name of [lost[n], older[n]]) {
      const { aside, reason } = found.get(name) ?? { aside: '', reason: 'none' };
      t.ok(readdirSync(folder).includes(basename(aside)), `${name}: ${reason}`);
    }
  }
  const count = 2 * FAULTS.length + 1;
  t.equal(setAside.length, count);
  t.same((await second.get('/readyz')).state, { failure: null, failing: 0, setAside: count });
  t.equal(await metric(second, 'checkpoints_set_aside_total'), count);
  for (const name of lost) t.equal((await second.request('POST', '/v1/machines', { name })).status, 201);
  await second.stop();
  const third = await start(folder);
  t.equal((await third.get('/v1/machines')).machines.length, names.length + lost.length);
  t.same((await third.get('/readyz')).state, { failure: null, failing: 0 }, 'from then on all is well');
  await third.stop();
});

/** A service on whose machine a test can lay hands. */
async function open(t: Test, log: (line: string) => void = () => {}) {
  const stateDir = join(temporaryFolder(t), 'state');
  const complete = configuration({ stateDir, stateIntervalMs: 10, machines: [{ name: 'm' }, { name: 'other' }] });
  const logger = pino({ level: 'error' }, { write: log });
  const store = await Checkpoints.open(complete, logger);
  const service = new Service(complete, () => {}, store);
  const app = await buildApp({ service, admission: new Admission(''), logger });
  await service.start();
  t.teardown(async () => {
    await app.close();
    await store.close(5000).catch(() => {});
    await service.close();
  });
  return { stateDir, store, app, m: service.machines.get('m') };
}

/** Puts a value in the place of a getter. */
const define = (target: object, name: string, value: unknown) =>
  Object.defineProperty(target, name, { value, configurable: true });

t.test('a checkpoint that could not be read back is never written', async (t) => {
  const { stateDir, store, app, m } = await open(t);
  const file = join(stateDir, 'm.json');
  for (const [what, set] of [
    ['a sequence that is no number', (value: boolean) => Object.assign(m.events, { sequence: value ? Number.NaN : 7 })],
    ['a logical ID of nine bits', (value: boolean) => define(m.vcpus[0], 'logicalId', value ? 256 : 0)],
    ['a wrong destination format', (value: boolean) => define(m.vcpus[1], 'format', value ? 'no' : 'flat')],
  ] as const satisfies readonly (readonly [string, (value: boolean) => object])[]) {
    const failures = store.figures.failures;
    set(true);
    m.changed = true;
    while (store.figures.failures === failures) await new Promise(setImmediate);
    const before = filesOf(file);
    m.changed = true;
    while (store.figures.failures < failures + 3) await new Promise(setImmediate);
    t.same(filesOf(file), before, `${what}: the checkpoint and the one before it stay`);
    t.equal(decodeCheckpoint(readFileSync(file), file).config.name, 'm', 'and can be read');
    t.notOk(existsSync(`${file}.new`));
    set(false);
    await writtenAgain(m, file);
  }
  t.match((await app.inject('/metrics')).body, /^southbridge_checkpoint_failures_total [1-9]/m);
});

/** What the checkpoint and the one before it hold; undefined for a file that is absent, as one is during a rename. */
function filesOf(file: string): (string | undefined)[] {
  return [file, `${file}.previous`].map((each) => {
    try {
      return readFileSync(each, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return undefined;
    }
  });
}

/** Resolves when a new checkpoint has replaced the one that was there. */
async function writtenAgain(machine: MachineHandle, file: string): Promise<void> {
  const [before] = filesOf(file);
  machine.changed = true;
  for (let now: string | undefined; now === undefined || now === before; [now] = filesOf(file)) {
    await new Promise(setImmediate);
  }
}

t.test('the failure says which machine, why, and what to do', async (t) => {
  const lines: string[] = [];
  const { store, m } = await open(t, (line) => lines.push(JSON.parse(line).msg));
  Object.assign(m.events, { sequence: Number.NaN });
  m.changed = true;
  while (lines.length === 0) await new Promise(setImmediate);
  t.match(
    lines[0],
    /The new checkpoint of machine m could not be read back \(its snapshot\.sequence is not as it must be\)/,
  );
  t.match(lines[0], /the server kept the previous checkpoint/);
  t.ok(store.figures.failures > 0);
  Object.assign(m.events, { sequence: 1 });
});
