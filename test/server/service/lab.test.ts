import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { pid } from 'node:process';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { ProcessExaminer } from '../../../src/cli/examiner.js';
import type { Examiner } from '../../../src/server/service/examinations.js';
import { TestServer } from '../../support/server.js';
import { tier } from '../../support/tier.js';
import { roleTokens } from '../../support/token-file.js';

const EXPLORATIONS = '/v1/lab/explorations';
const TASK = { design: 'nested-mutex', scenario: 'callback-acknowledge' };

/** It explores twice, which takes seconds. */
const skip = tier.testsWholePage ? false : 'skipped: it runs in the tiers ci and long';

/** An exploration that ends when the test says so. */
class HeldExaminer implements Examiner {
  readonly begun: { signal: AbortSignal; finish: (result: object) => void }[] = [];
  #next = () => {};

  async scenarios() {
    return [{ name: TASK.scenario, description: 'a callback' }];
  }

  async has(scenario: string) {
    return scenario === TASK.scenario;
  }

  examine(_task: unknown, signal: AbortSignal): Promise<object> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('ended')));
      this.begun.push({ signal, finish: resolve });
      this.#next();
    });
  }

  async whenBegun(count: number): Promise<void> {
    while (this.begun.length < count) {
      await new Promise<void>((next) => {
        this.#next = next;
      });
    }
  }
}

t.test('all designs are listed with verdict and scope, presets first', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const { designs, command } = await server.get('/v1/lab/designs');
  t.match(command, /^npx southbridge explore /);
  t.equal(designs[0].design, 'bql');
  t.equal(new Set(designs.map(({ axes }: { axes: string }) => axes)).size, designs.length);
  t.ok(designs.length >= 150, `${designs.length} designs`);
  t.match(
    designs.find(({ design }: { design: string }) => design === 'nested-mutex'),
    { axes: 'device/bql+device/inline/naive', explored: 'deadlock', scope: /scenarios/, replay: /\S/ },
  );
  for (const { explored } of designs) if (!/^(safe|stale|race|deadlock)$/.test(explored)) t.fail(explored);
  t.match(await server.request('POST', EXPLORATIONS, TASK), { status: 501, body: { error: { code: 'no-examiner' } } });
});

t.test('a process explores a design, and gives the counterexample step by step', { skip }, async (t) => {
  const server = await TestServer.start({}, new ProcessExaminer());
  t.teardown(server.stop);
  const { scenarios } = await server.get('/v1/lab/scenarios');
  t.ok(scenarios.some(({ name }: { name: string }) => name === TASK.scenario));
  const { status, body } = await server.request('POST', EXPLORATIONS, TASK);
  t.equal(status, 200);
  t.match(body, { design: 'nested-mutex', verdict: 'FAIL', extent: 'exhaustive' });
  const deadlock = body.findings.find(({ kind }: { kind: string }) => kind === 'deadlock');
  t.match(deadlock, { replay: /\S/, counterexample: { threads: [{ name: /./ }], steps: [{ text: /./ }] } });
  const safe = await server.request('POST', EXPLORATIONS, { ...TASK, design: 'lockless-timer' });
  t.match(safe, { status: 200, body: { verdict: /^(PASS|NOTE)$/ } });
});

const skipProcess = skip || (existsSync('/proc/self/stat') ? false : 'finds processes in /proc');

t.test('an exploration is a process whose threads have the lowest priority', { skip: skipProcess }, async (t) => {
  const leaving = new AbortController();
  // Takes half a minute if nothing ends it.
  const task = { design: 'deferred-irq', scenario: 'two-flushes' };
  const ended = t.rejects(new ProcessExaminer().examine(task, leaving.signal));
  // The main thread and the one that explores; threads of Node itself begin earlier.
  const isLow = (nice: number) => nice === constants.priority.PRIORITY_LOW;
  while (examinations().flatMap(niceOfThreads).filter(isLow).length < 2) await setTimeout(20);
  t.pass();
  leaving.abort();
  await ended;
});

/** The processes that this one has started for an exploration. */
function examinations(): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isExamination(`/proc/${pid}`));
}

function isExamination(process: string): boolean {
  const parent = Number(fieldsOf(`${process}/stat`)[1]);
  return parent === pid && /examination-process/.test(textOf(`${process}/cmdline`));
}

function niceOfThreads(examination: string): number[] {
  const tasks = `/proc/${examination}/task`;
  return readdirSync(tasks).map((thread) => Number(fieldsOf(`${tasks}/${thread}/stat`)[16]));
}

/** The fields of a `stat` behind the name: state, parent, …; the nice value is the 17th. */
function fieldsOf(stat: string): string[] {
  return textOf(stat)
    .replace(/^.*\) /s, '')
    .split(' ');
}

/** A file of a process that may have ended. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

t.test('one exploration runs at a time, and ends when its client leaves', async (t) => {
  const examiner = new HeldExaminer();
  const server = await TestServer.start({}, examiner);
  t.teardown(server.stop);
  for (const [change, status, code] of [
    [{ design: 'none' }, 404, 'unknown-design'],
    [{ design: '../../etc/passwd' }, 404, 'unknown-design'],
    [{ scenario: 'constructor' }, 404, 'unknown-scenario'],
    [{ code: 'process.exit()' }, 400, 'unknown-key'],
  ] as const) {
    t.match(await server.request('POST', EXPLORATIONS, { ...TASK, ...change }), { status, body: { error: { code } } });
  }
  const leave = new AbortController();
  const left = fetch(server.url + EXPLORATIONS, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(TASK),
    signal: leave.signal,
  });
  await examiner.whenBegun(1);
  const busy = await server.request('POST', EXPLORATIONS, TASK);
  t.match(busy, { status: 429, body: { error: { code: 'examiner-busy' } } });
  t.equal(busy.headers.get('retry-after'), '2');
  const ended = new Promise((resolve) => examiner.begun[0].signal.addEventListener('abort', resolve));
  leave.abort();
  await t.rejects(left);
  await ended;
  const next = server.request('POST', EXPLORATIONS, TASK);
  await examiner.whenBegun(2);
  examiner.begun[1].finish({ verdict: 'PASS' });
  t.match(await next, { status: 200, body: { verdict: 'PASS' } });
});

t.test('an exploration needs the role drive', async (t) => {
  const { file, tokens } = roleTokens(t);
  const server = await TestServer.start({ tokenFile: file }, new HeldExaminer());
  t.teardown(server.stop);
  const ask = (token: string) =>
    server.request('POST', EXPLORATIONS, { ...TASK, design: 'none' }, { authorization: `Bearer ${token}` });
  t.equal((await server.request('POST', EXPLORATIONS, TASK)).status, 401);
  t.equal((await ask(tokens.observe)).status, 403);
  t.equal((await ask(tokens.drive)).status, 404, 'it is admitted');
});
