import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { loadOwnDesign } from '../../../src/config/own-design.js';
import { loadDesign } from '../../../src/core/locking/own-design.js';
import { verdictText } from '../../../src/core/locking/verdicts.js';
import { runOne, verdictOn } from '../../../src/lab/explore/campaign.js';
import type { Scenario } from '../../../src/lab/explore/scenario.js';
import { readScenario } from '../../../src/lab/explore/scenario-file.js';
import { SCENARIOS } from '../../../src/lab/explore/scenarios.js';
import { CLI, Program, southbridgeBeside } from '../../support/program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { tier } from '../../support/tier.js';

const WRONG = 'examples/designs/sequence-numbers.mjs';
const RIGHT = 'examples/designs/in-order.mjs';
const skip = tier.allPresets ? false : 'starts programs and servers: only in the tiers ci and long';
const COMBINING = 'examples/designs/combining.mjs';
const MOVED_LINE = 'examples/designs/moved-line.json';

const GOOD = JSON.parse(readFileSync(MOVED_LINE, 'utf8'));

/** The verdict on a design of a module in these scenarios, in one line. */
async function explored(module: string, scenarios: readonly Scenario[]): Promise<string> {
  const named = await loadDesign(pathToFileURL(module).href);
  return verdictText(
    verdictOn(
      named,
      scenarios.map((scenario) => runOne(named, scenario, { mutex: 'blocking', secondPass: false })),
    ),
  );
}

t.test('exploration refutes the example design, with no concurrency, and confirms its correct variant', async (t) => {
  const movedLine = readScenario(MOVED_LINE);
  const alone = (verdict: string) => `${verdict}: 1 scenario complete; sequentially consistent memory`;
  t.equal(await explored(WRONG, [movedLine]), alone('stale'));
  t.equal(await explored(RIGHT, [movedLine]), alone('safe'));
});

t.test('exploration confirms the correct designs in other scenarios', { skip }, async (t) => {
  const names = ['callback-acknowledge', 'two-edges', 'save-write', 'restore-callback', 'legacy-input', 'queue-drain'];
  const scenarios = SCENARIOS.filter(({ name }) => names.includes(name));
  t.match(await explored(RIGHT, scenarios), /^safe: 6 scenarios complete;/);
  const few = scenarios.filter(({ name }) => ['two-edges', 'save-write', 'queue-drain'].includes(name));
  t.match(await explored(COMBINING, few), /^safe: 3 scenarios complete;/);
});

/** Written from `docs/adding-a-design.md` alone: every line change counts in a word of the design's own. */
const SECOND = `export default ({ BQL, DEVICE, values, words, leafLocked, enterRouter, ROUTER }) => {
  const COUNT = words('changes', 1, 'router');
  return {
    name: 'second',
    mmio: {
      name: 'both',
      underBql: true,
      enter: (locks) => {
        locks.acquire(BQL);
        locks.acquire(DEVICE);
      },
      leave: (locks) => {
        locks.release(DEVICE);
        locks.release(BQL);
      },
    },
    timer: 'bql+device',
    irq: {
      ...leafLocked,
      name: 'counted',
      appliesInPlace: true,
      driveLine(target, line, source, level) {
        const entered = enterRouter(target);
        target.decisions.memory.set(COUNT, target.decisions.memory.get(COUNT) + 1);
        target.driveLine(line, source, level);
        target.locks.unguard(ROUTER, entered);
      },
      pulseLine: values.irq.lockless.pulseLine,
    },
  };
};`;

t.test('designs written from the document get their verdicts', async (t) => {
  const folder = temporaryFolder(t);
  const [, example = ''] = /```js\n(.*?)```/s.exec(readFileSync('docs/adding-a-design.md', 'utf8')) ?? [];
  const names = ['callback-acknowledge', 'two-edges'];
  const scenarios = SCENARIOS.filter(({ name }) => names.includes(name));
  for (const [name, text, verdict] of [
    ['example', example, /^safe: 2 scenarios complete;/],
    ['second', SECOND, /^safe: 2 scenarios complete;/],
    // The word is written without the lock that its declaration names.
    [
      'third',
      SECOND.replace("'router'", "'pic'")
        .replaceAll('second', 'third')
        .replaceAll('counted', 'wrong')
        .replace("'both'", "'again'"),
      /^race: /,
    ],
  ] as const) {
    const module = join(folder, `${name}.mjs`);
    writeFileSync(module, text);
    t.match(await explored(module, scenarios), verdict, name);
  }
  const shown = JSON.parse(/```json\n(.*?)```/s.exec(readFileSync('docs/adding-a-design.md', 'utf8'))?.[1] ?? '');
  t.strictSame(shown, GOOD, 'the scenario in the document is the one of the examples');
});

t.test('explore prints verdict and schedule of a design of a module, and replays it', { skip }, async (t) => {
  const args = ['explore', '--design', WRONG, '--scenario', MOVED_LINE];
  const refuted = await southbridgeBeside(args);
  t.equal(refuted.status, 1);
  t.match(refuted.stdout, 'linearizability: line 4: its sources are not what the registers say');
  t.match(refuted.stdout, /^sequence-numbers: stale: 1 scenario complete; sequentially consistent memory$/m);
  const again = `explore --design ${WRONG} --scenario ${MOVED_LINE} --replay`;
  const { stdout: mail } = await southbridgeBeside([...args, '--format', 'mail']);
  for (const stdout of [refuted.stdout, mail]) {
    const line = printedCommand(stdout);
    t.match(line, again);
    t.match(await southbridgeBeside(line.split(' ')), { status: 1, stdout: /^linearizability: line 4/m }, line);
  }
  const { stdout: page } = await southbridgeBeside([...args, '--format', 'html']);
  t.match(page, `"again":"npx southbridge ${again}"`);
});

/** The arguments of the first command that replays a finding, as a shell joins and splits its lines. */
function printedCommand(stdout: string): string {
  const joined = stdout.replace(/\\\n/g, '');
  return /npx southbridge (explore [^\n]*?--replay \S+)/.exec(joined)?.[1].replace(/ +/g, ' ') ?? '';
}

t.test('explore takes a value of the module by name, in any combination', { skip }, async (t) => {
  const locking = 'device/device/newest-only/ordered';
  const args = ['explore', '--design', WRONG, '--locking', locking, '--scenario', MOVED_LINE];
  const { status, stdout } = await southbridgeBeside(args);
  t.equal(status, 0, 'a design that is not the one of the module has no verdict');
  t.match(stdout, `FAIL ${locking} × moved-line, exhaustive: linearizability`);
});

const BQL_MMIO = 'mmio: { ...kit.values.mmio.bql, name: "own" }';
/** What stands in a module, and what it is refused with. */
const MODULES: readonly (readonly [text: string, reason: RegExp])[] = [
  ['syntax error', /it fails with ".+"/],
  ['throw new Error("no")', /it fails with "no"/],
  ['export default () => { throw new Error("kit") }', /it fails with "kit"/],
  ['', /its default export must be an object with name, mmio, timer, irq, control, or a function/],
  ['export default 5', /its default export must be an object/],
  ['export default {}', /it must have at least one of mmio, timer, irq, control/],
  ['export default { name: "x" }', /it must have at least one of/],
  ['export default { name: "mine", irq: "lockless", lock: 1 }', /it has an unknown key lock; the keys are name, mmio/],
  ['export default { name: "mine", irq: "nope" }', /irq has no value "nope"; the values are inline, deferred/],
  ['export default { irq: "inline" }', /name must be a name of lower-case letters/],
  ['export default { name: "A B", irq: "inline" }', /name must be a name of lower-case letters/],
  ['export default { name: "bql", irq: "inline" }', /there is a design bql already; choose another name/],
  ['export default { name: "mine", irq: 5 }', /irq must be an object, or one of inline/],
  ['export default { mmio: { name: "mine" } }', /mmio\.underBql must be true or false/],
  [`export default (kit) => ({ ${BQL_MMIO.replace('name', 'lock: 1, name')} })`, /mmio has an unknown member lock/],
  [`export default (kit) => ({ ${BQL_MMIO.replace('"own"', '"bql"')} })`, /mmio has a value bql already/],
  [
    `export default (kit) => ({ ${BQL_MMIO.replace('name', 'underBql: false, name')} })`,
    /mmio\.enter must take device if underBql is false; it holds bql/,
  ],
  [
    `export default (kit) => ({ ${BQL_MMIO.replace('name', 'enter() { throw new Error("no"); }, name')} })`,
    /entering and leaving with its values fails with "no"/,
  ],
  ['export default { mmio: { name: "mine", underBql: true, enter: 1 } }', /mmio\.enter must be a function/],
];

t.test('a module that is no design is refused with what is allowed', async (t) => {
  const folder = temporaryFolder(t);
  for (const [number, [text, reason]] of MODULES.entries()) {
    const file = join(folder, `module-${number}.mjs`);
    writeFileSync(file, text);
    await t.rejects(loadOwnDesign(file), {
      code: 'design-unusable',
      details: { file },
      message: new RegExp(`^The design module .* cannot be used: ${reason.source}`),
    });
  }
  const { status, stdout, stderr } = await southbridgeBeside(['explore', '--design', join(folder, 'none.mjs')]);
  t.match({ status, stdout }, { status: 1, stdout: '' });
  t.match(stderr, /^error: The design module .*none\.mjs cannot be used: it fails with .+\n$/);
});

const WRITE = { write: '0xfed00010', value: 1 };
/** Differences from a good scenario, and what they are refused with. */
const REFUSED: readonly (readonly [difference: object, reason: RegExp])[] = [
  [{ name: 'Moved' }, /name must be a name of lower-case letters/],
  [{ name: 'two-edges' }, /there is a scenario two-edges already/],
  [{ description: 5 }, /description must be a string/],
  [{ lines: [] }, /the file has an unknown key lines; the keys are name, description/],
  [{ times: [] }, /times must be a list of 1 to 4 items/],
  [{ times: [5, 5] }, /times must be 1 to 4 whole numbers of nanoseconds, each above/],
  [{ vcpus: undefined }, /vcpus must be a list of 1 to 3 items/],
  [{ vcpus: [[WRITE, WRITE, WRITE, WRITE, WRITE]] }, /vcpus\[0\] must be a list of 0 to 4 items/],
  [{ vcpus: [[{ poke: 1 }]] }, /vcpus\[0\]\[0\] must be an object with one of write, read, line/],
  [{ vcpus: [[{ ...WRITE, size: 3 }]] }, /vcpus\[0\]\[0\]\.size must be 1, 2, 4 or 8/],
  [{ vcpus: [[{ ...WRITE, sise: 4 }]] }, /vcpus\[0\]\[0\] has an unknown key sise; the keys are write, value, size/],
  [{ vcpus: [[{ line: 24, level: 1 }]] }, /vcpus\[0\]\[0\]\.line must be a whole number from 0 to 23/],
  [{ vcpus: [[{ acknowledge: 1 }]] }, /vcpus\[0\]\[0\]\.acknowledge must be true/],
  [{ vcpus: [[{ mainLoopAt: 1 }]] }, /vcpus\[0\]\[0\] must be an object with one of/],
  [{ before: [{ mainLoopAt: -1 }] }, /before\[0\]\.mainLoopAt must be a whole number/],
  [{ control: 'stop' }, /control must be one of reset, pause, save, remove/],
  [{ machine: { profile: 'qemu' } }, /machine\.profile must be one of datasheet|machine\.profile must be one of/],
  [{ machine: { pic: 1 } }, /machine\.pic must be true or false/],
  [{ preemptions: 'many' }, /the file\.preemptions must be a whole number/],
];

t.test('a file that is no scenario is refused with what is allowed', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'mine.json');
  const code = 'scenario-unusable';
  for (const [difference, reason] of REFUSED) {
    writeFileSync(file, JSON.stringify({ ...GOOD, name: 'mine', ...difference }));
    t.throws(() => readScenario(file), { code, details: { file }, message: reason }, JSON.stringify(difference));
  }
  for (const text of ['', '{', '[]', 'null']) {
    writeFileSync(file, text);
    t.throws(() => readScenario(file), { code, details: { file } }, text);
  }
  const { status, stdout, stderr } = await southbridgeBeside(['explore', '--scenario', join(folder, 'none.json')]);
  t.match({ status, stdout }, { status: 1, stdout: '' });
  t.match(stderr, /^error: The scenario file .*none\.json cannot be used: .+\n$/);
});

t.test('compare measures a design of a module, on threads that load it themselves', { skip }, async (t) => {
  const cost = ['--rounds', '1', '--part-ms', '20', '--bql-load', '0', '--json'];
  const args = ['compare', '--design', RIGHT, '--locking', 'bql,in-order', ...cost];
  const { status, stdout } = await southbridgeBeside(args);
  t.equal(status, 0);
  const { cells } = JSON.parse(stdout);
  t.match(cells, [
    { locking: 'bql', class: 'safe' },
    { locking: 'in-order', class: 'unexplored' },
  ]);
  t.ok(cells[1].figures.accesses.median > 0);
});

async function served(t: Tap, ...args: string[]) {
  const server = new Program([CLI, 'serve', '--port', '0', '--log-level', 'error', ...args]);
  t.teardown(() => server.child.kill('SIGKILL'));
  const first = await server.line();
  const [url = ''] = /http:\S+/.exec(first ?? '') ?? [];
  return { server, url };
}
type Tap = Parameters<typeof temporaryFolder>[0];

t.test('serve has machines of a design of a module; a request can name it, and no module', { skip }, async (t) => {
  const file = join(temporaryFolder(t), 'server.yaml');
  writeFileSync(
    file,
    `design: ${RIGHT}\nexecution: threads\nmachines: [{ name: vm, locking: in-order, clock: manual }]\n`,
  );
  const { server, url } = await served(t, '--config', file);
  const call = async (method: string, path: string, body?: unknown) => {
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await fetch(`${url}${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json().catch(() => undefined) };
  };
  t.match(await call('GET', '/v1/machines/vm'), {
    status: 200,
    body: { locking: { preset: null, class: null, irq: 'in-order' } },
  });
  const own = { mmio: 'device', timer: 'device', irq: 'in-order', control: 'ordered' };
  t.match(await call('POST', '/v1/machines', { name: 'other', locking: own }), { status: 201 });
  t.match(await call('POST', '/v1/machines', { name: 'bad', design: WRONG }), { status: 400 });
  t.match(await call('POST', '/v1/machines', { name: 'bad', locking: `./${WRONG}` }), {
    status: 400,
    body: { error: { message: /in-order/ } },
  });
  const task = { design: 'in-order', scenario: 'callback-acknowledge' };
  t.match(await call('POST', '/v1/lab/explorations', task), { status: 200 });
  server.child.kill('SIGTERM');
  t.equal(await server.exited, 0);
});

t.test('no environment variable names a module', async (t) => {
  const { status, stderr } = await southbridgeBeside(['serve', '--port', '0'], { SOUTHBRIDGE_DESIGN: RIGHT });
  t.equal(status, 1);
  t.match(stderr, 'Unknown key SOUTHBRIDGE_DESIGN (environment)');
});
