import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { buildApp } from '../../../src/server/app.js';
import { Admission } from '../../../src/server/security/admission.js';
import type { MachineHandle } from '../../../src/server/service/machine-handle.js';
import { Service } from '../../../src/server/service/service.js';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../../src/server/state/checkpoint.js';
import { Checkpoints } from '../../../src/server/state/checkpoints.js';
import { configuration, TestServer } from '../../support/server.js';

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

t.test('one machine that cannot be restored is set aside and reported, and all others start', async (t) => {
  for (const [what, spoilFile] of FAULTS) {
    const folder = join(t.testdir(), 'state');
    const first = await start(folder);
    for (const name of ['good', 'bad']) await first.request('POST', '/v1/machines', { name });
    await first.stop();
    for (const name of ['bad', 'configured']) {
      rmSync(join(folder, `${name}.json.previous`), { force: true });
      spoilFile(join(folder, `${name}.json`));
    }
    const second = await start(folder);
    const { machines, setAside } = await second.get('/v1/machines');
    const names = machines.map(({ name }: { name: string }) => name);
    t.same(names, ['configured', 'good'], `${what}: the others are there, a configured one as new`);
    t.same(setAside.map(({ machine }: { machine: string }) => machine).sort(), ['bad', 'configured']);
    for (const { aside, reason } of setAside) {
      t.ok(readdirSync(folder).includes(aside.slice(folder.length + 1)), `${aside}: ${reason}`);
    }
    t.same((await second.get('/readyz')).state, { failure: null, setAside: 2 });
    t.equal(await metric(second, 'checkpoints_set_aside_total'), 2);
    t.equal((await second.request('POST', '/v1/machines', { name: 'bad' })).status, 201, 'its name is free');
    await second.stop();
    const third = await start(folder);
    t.equal((await third.get('/v1/machines')).machines.length, 3);
    t.same((await third.get('/readyz')).state, { failure: null }, 'and from then on all is well');
    await third.stop();
  }
});

t.test('the checkpoint before a bad one is used', async (t) => {
  for (const [what, spoilFile] of FAULTS) {
    const folder = join(t.testdir(), 'state');
    const first = await start(folder);
    await first.request('PUT', '/v1/machines/configured/lines/20', { level: 1 });
    await first.stop();
    const file = join(folder, 'configured.json');
    const good = readFileSync(file);
    writeFileSync(`${file}.previous`, good);
    spoilFile(file);
    const second = await start(folder);
    t.same((await second.get('/readyz')).state, { failure: null, setAside: 1 }, what);
    await second.stop();
    t.ok(existsSync(file), 'there is a whole one again');
  }
});

/** A service on whose machine a test can lay hands. */
async function open(t: Test, log: (line: string) => void = () => {}) {
  const stateDir = join(t.testdir(), 'state');
  const complete = configuration({ stateDir, stateIntervalMs: 10, machines: [{ name: 'm' }, { name: 'other' }] });
  const logger = pino({ level: 'error' }, { write: log });
  const keeper = await Checkpoints.open(complete, logger);
  const service = new Service(complete, () => {}, keeper);
  const app = await buildApp({ service, admission: new Admission(''), logger });
  await service.start();
  t.teardown(async () => {
    await app.close();
    await keeper.close(5000).catch(() => {});
    await service.close();
  });
  return { stateDir, keeper, app, m: service.machines.get('m') };
}

t.test('a checkpoint that could not be read back is never written', async (t) => {
  const { stateDir, keeper, app, m } = await open(t);
  const file = join(stateDir, 'm.json');
  for (const [what, set] of [
    ['a sequence that is no number', (value: boolean) => Object.assign(m, { sequence: value ? Number.NaN : 7 })],
    ['a level that is none', (value: boolean) => Object.assign(m, { intr: value ? 2 : 0 })],
    ['a logical ID of nine bits', (value: boolean) => Object.assign(m.vcpus[0], { logicalId: value ? 256 : 0 })],
    ['a wrong destination format', (value: boolean) => Object.assign(m.vcpus[1], { format: value ? 'no' : 'flat' })],
  ] as const satisfies readonly (readonly [string, (value: boolean) => object])[]) {
    const failures = keeper.figures.failures;
    set(true);
    m.changed = true;
    while (keeper.figures.failures === failures) await new Promise(setImmediate);
    const before = [readFileSync(file), readFileSync(`${file}.previous`)];
    m.changed = true;
    while (keeper.figures.failures < failures + 3) await new Promise(setImmediate);
    t.same([readFileSync(file), readFileSync(`${file}.previous`)], before, `${what}: both checkpoints stay`);
    t.equal(decodeCheckpoint(readFileSync(file), file).config.name, 'm', 'and can be read');
    t.notOk(existsSync(`${file}.new`));
    set(false);
    await writtenAgain(m, file, before[0]);
  }
  t.match((await app.inject('/metrics')).body, /^southbridge_checkpoint_failures_total [1-9]/m);
});

async function writtenAgain(machine: MachineHandle, file: string, before: Buffer): Promise<void> {
  machine.changed = true;
  while (existsSync(file) && readFileSync(file).equals(before)) await new Promise(setImmediate);
}

t.test('the failure says which machine, why, and what to do', async (t) => {
  const lines: string[] = [];
  const { keeper, m } = await open(t, (line) => lines.push(JSON.parse(line).msg));
  Object.assign(m, { sequence: Number.NaN });
  m.changed = true;
  while (lines.length === 0) await new Promise(setImmediate);
  t.match(
    lines[0],
    /The new checkpoint of machine m could not be read back \(its snapshot\.sequence is not as it must be\)/,
  );
  t.match(lines[0], /the one before it stays/);
  t.ok(keeper.figures.failures > 0);
  Object.assign(m, { sequence: 1 });
});
