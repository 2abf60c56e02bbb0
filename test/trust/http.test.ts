import t from 'tap';
import fc from '../support/properties.js';
import { seed } from '../support/random.js';
import { tier } from '../support/tier.js';
import { mutated } from './support/json-mutations.js';
import { type FuzzedRequest, type OpenApi, requests } from './support/request-arbitraries.js';
import { type Answer, faultOf, Victim } from './support/victim.js';

const BATCH = 200;
const OWN = JSON.stringify({ name: 'own', clock: 'manual', vcpus: 2 });
const KEPT = ['kept', 'own'];

/** Why an answer is wrong, or undefined if it is right. HEAD has no body to look at. */
function wrongIn({ method }: FuzzedRequest, { status, type, text }: Answer): string | undefined {
  if (status < 400 || method === 'HEAD') return status >= 500 ? `status ${status}` : undefined;
  if (!type.startsWith('application/json')) return `status ${status} without a code: ${text.slice(0, 200)}`;
  const { code, message } = JSON.parse(text).error ?? {};
  return faultOf(String(code), String(message), status);
}

/** A step of much more is days of work, and background load for a second or more is what it says. */
function isHarmless({ path, body = '' }: FuzzedRequest): boolean {
  if (/\/clock\/step/.test(path)) return !/\d{10,}/.test(body);
  return !/\/(bql\/load|log)(\?|$)/.test(path) || !body.includes('{');
}

/** Machines beside the two are taken away, and the own one is made again if it is gone. */
async function tidy(victim: Victim): Promise<void> {
  const { text } = await victim.ask('GET', '/v1/machines');
  const names = JSON.parse(text).machines.map(({ name }: { name: string }) => name);
  for (const name of names) if (!KEPT.includes(name)) await victim.ask('DELETE', `/v1/machines/${name}`);
  if (!names.includes('own')) await victim.ask('POST', '/v1/machines', OWN);
  await victim.ask('POST', '/v1/machines/own/resume');
}

/** What a refused request might have changed. */
async function look(victim: Victim): Promise<string> {
  const { text } = await victim.ask('GET', '/v1/machines');
  return `${text} ${await victim.stateOf('own')}`;
}

t.test(`${tier.fuzzedRequests} requests made from the OpenAPI document`, async (t) => {
  const first = seed();
  t.comment(`TEST_SEED=${first}; a batch that fails names its own`);
  const machines = '{name: kept, clock: manual},{name: own, clock: manual, vcpus: 2}';
  const victim = await Victim.start(t, `machines=[${machines}]`, 'limits.machines=8', 'limits.bodyBytes=65536');
  const openApi: OpenApi = JSON.parse((await victim.ask('GET', '/docs/json')).text);
  const arbitrary = requests(openApi, 'own').filter(isHarmless);
  const operations = new Set<string>();
  const kept = await victim.stateOf('kept');
  let sent = 0;
  let refused = 0;
  let failed = false;
  for (let batchSeed = first; sent < tier.fuzzedRequests && !failed; batchSeed++) {
    let before = await look(victim);
    for (const request of fc.sample(arbitrary, { numRuns: BATCH, seed: batchSeed })) {
      const { method, path, body, headers } = request;
      const answer = await victim.ask(method, path, body, headers);
      const isRefusal = answer.status >= 400;
      if (!isRefusal && method !== 'GET') await tidy(victim);
      const after = await look(victim);
      const changed = isRefusal && after !== before ? 'refused, and changed something' : undefined;
      const wrong = wrongIn(request, answer) ?? changed;
      if (wrong !== undefined) {
        t.fail(`TEST_SEED=${batchSeed}: ${wrong}: ${JSON.stringify(request)}: ${answer.status} ${answer.text}`);
        failed = true;
        break;
      }
      sent++;
      if (isRefusal) refused++;
      else operations.add(`${method} ${path.split('/').slice(3).join('/')}`);
      before = after;
    }
    await victim.requireHealth();
  }
  t.ok(refused > sent / 6 && refused < (sent * 19) / 20, `${sent} requests, of which ${refused} were refused`);
  t.equal(await victim.stateOf('kept'), kept, 'a machine that no request named is unchanged');
  t.ok(operations.size > 10, `${operations.size} kinds of requests were executed`);
  await victim.end(t);
});

interface Words {
  readonly state: { readonly [name: string]: number };
}

/** Some words of the state with other values, or another structure. */
function damagedSnapshot(good: Words): fc.Arbitrary<string> {
  const value = fc.oneof(fc.constantFrom(0, 1, 255, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff), fc.nat(0xffff_ffff));
  const words = fc.dictionary(fc.constantFrom(...Object.keys(good.state)), value, { minKeys: 1, maxKeys: 8 });
  return fc.oneof(
    words.map((some) => JSON.stringify({ ...good, state: { ...good.state, ...some } })),
    mutated(fc.constant(good)),
  );
}

t.test(`${tier.fuzzedSnapshots} damaged snapshots`, async (t) => {
  // The same ones each time, unless others are wished for.
  const first = Number(process.env.TEST_SEED ?? 1);
  t.comment(`TEST_SEED=${first}`);
  const victim = await Victim.start(t, 'machines=[{name: m, clock: manual}]');
  const counter = '/v1/machines/m/mmio/0xfed000f0?size=8';
  await victim.ask('PUT', '/v1/machines/m/mmio/0xfed00108?size=8', '{"value":"0x1000"}');
  await victim.ask('PUT', '/v1/machines/m/mmio/0xfed00010', '{"value":"0x1"}');
  const good = (await victim.ask('GET', '/v1/machines/m/snapshot')).text;
  const path = '/v1/machines/m/snapshot';
  let taken = 0;
  for (const text of fc.sample(damagedSnapshot(JSON.parse(good)), {
    numRuns: tier.fuzzedSnapshots,
    seed: first,
  })) {
    const before = await victim.stateOf('m');
    const answer = await victim.ask('PUT', path, text);
    const request = { method: 'PUT', path, body: text, headers: {} };
    const after = await victim.stateOf('m');
    const changed = answer.status >= 400 && after !== before ? 'refused, and changed something' : undefined;
    const wrong = wrongIn(request, answer) ?? changed;
    if (wrong !== undefined) {
      t.fail(`TEST_SEED=${first}: ${wrong}: ${answer.text} to ${difference(good, text)}`);
      break;
    }
    if (answer.status >= 400) continue;
    taken++;
    // Whatever it holds, the machine goes on, and what it is now can be restored.
    for (const [method, where, body] of [
      ['GET', counter],
      ['POST', '/v1/machines/m/lines/4', '{"level":1}'],
      ['POST', '/v1/machines/m/lines/4', '{"level":0}'],
      ['POST', '/v1/machines/m/clock/step', '{"ns":"1000"}'],
      ['PUT', path, (await victim.ask('GET', path)).text],
      ['PUT', path, good],
    ] as const) {
      const { status, text: reply } = await victim.ask(method, where, body);
      if (status >= 400) t.fail(`TEST_SEED=${first}: ${method} ${where}: ${reply} after ${difference(good, text)}`);
    }
  }
  t.ok(taken > 0 && taken < tier.fuzzedSnapshots, `${taken} fitted all the same`);
  await victim.end(t);
});

/** Where a text begins to differ from another. */
function difference(good: string, text: string): string {
  let at = 0;
  while (at < text.length && text[at] === good[at]) at++;
  return `${text.slice(Math.max(0, at - 60), at)}»${text.slice(at, at + 100)}`;
}
