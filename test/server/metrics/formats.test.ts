import t from 'tap';
import { formatFor } from '../../../src/server/metrics/exposition.js';
import { parseExposition } from '../../support/exposition.js';
import { TestServer } from '../../support/server.js';

const OPEN = 'application/openmetrics-text';

t.test('which format an Accept header prefers', (t) => {
  const cases: { readonly [accept: string]: string } = {
    '': 'prometheus',
    '*/*': 'prometheus',
    'text/plain': 'prometheus',
    [OPEN]: 'openmetrics',
    [`${OPEN};version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2`]: 'openmetrics',
    [`${OPEN}; version="1.0.0"; charset=utf-8`]: 'openmetrics',
    [`${OPEN};q=0.1, text/plain;q=0.9`]: 'prometheus',
    [`${OPEN};q=0`]: 'prometheus',
    [`${OPEN};version=0.0.1,text/plain;q=0.5`]: 'prometheus',
    'text/html,application/xhtml+xml,*/*;q=0.8': 'prometheus',
  };
  for (const [accept, format] of Object.entries(cases)) t.equal(formatFor(accept), format, accept);
  t.end();
});

/** Faults of a text in OpenMetrics 1.0, as far as lines show them. */
function faultsOf(text: string): string[] {
  if (!text.endsWith('\n# EOF\n')) return ['does not end with # EOF'];
  const faults: string[] = [];
  let [family, type] = ['', ''];
  for (const line of text.slice(0, -'# EOF\n'.length - 1).split('\n')) {
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      [family, type] = [name, ''];
      if (/(?<!\\)"/.test(rest)) faults.push(`a bare quotation mark: ${line}`);
    } else if (keyword === 'TYPE') {
      type = rest;
      if (name !== family || name.endsWith('_total')) faults.push(line);
    } else {
      const [, sample] = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? \S+$/.exec(line) ?? [];
      const suffixes: { readonly [type: string]: string } = {
        counter: '_total',
        histogram: '_(bucket|sum|count)',
        summary: '(_sum|_count)?',
      };
      if (!new RegExp(`^${family}${suffixes[type] ?? ''}$`).test(sample ?? '')) faults.push(line);
    }
  }
  return faults;
}

t.test('both formats have the same series', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const vcpu = await server.connect('default', 0);
  for (let reads = 0; reads < 200; reads++) await vcpu.read(0xfed00000, 8);
  const plain = await server.request('GET', '/metrics');
  t.match(plain.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const open = await server.request('GET', '/metrics', undefined, { accept: `${OPEN};version=1.0.0` });
  t.match(open.headers.get('content-type'), /^application\/openmetrics-text; version=1\.0\.0/);
  t.same(faultsOf(open.body), []);
  const series = (text: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith('southbridge_'))
      .map((line) => line.slice(0, line.lastIndexOf(' ')));
  t.same(series(open.body), series(plain.body));
});

t.test('histograms are per design, and per machine on request', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'a' }, { name: 'b' }] });
  t.teardown(server.stop);
  const NAME = 'southbridge_timer_lateness_seconds';
  const labels = async (path: string) =>
    parseExposition(await server.get(path))
      .get(NAME)
      ?.samples.filter(({ name }) => name.endsWith('_count'))
      .map((sample) => sample.labels);
  t.same(await labels('/metrics'), [{ locking: 'lockless-timer' }]);
  const perMachine = ['a', 'b'].map((machine) => ({ machine, locking: 'lockless-timer' }));
  t.same(await labels('/metrics?histograms=machine'), perMachine);
  const bounds = parseExposition(await server.get('/metrics'))
    .get(NAME)
    ?.samples.map((sample) => sample.labels.le);
  t.equal(bounds?.filter((le) => le !== undefined).at(-2), '10', 'the last bucket but one');
  t.equal((await server.request('GET', '/metrics?histograms=vcpu')).status, 400);
});
