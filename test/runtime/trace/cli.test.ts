import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { southbridgeBeside } from '../../support/program.js';
import { TestServer } from '../../support/server.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { checkStructure, THREADS, TraceFile } from '../../support/trace-file.js';

const record = (...args: string[]) => southbridgeBeside(['trace', 'record', ...args]);

t.test('southbridge trace record writes what happens meanwhile', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'm.trace.json');
  const server = await TestServer.start({ machines: [{ name: 'm', bql: { load: { duty: 0.5, hold: '1000000' } } }] });
  t.teardown(server.stop);
  const from = ['--url', server.url, '--machine'];

  // On a busy computer the load thread may not run during a recording: another one follows then.
  for (let hasHold = false; !hasHold; ) {
    const { status, stdout, stderr } = await record(...from, 'm', '--duration', '0.2', '-o', file);
    t.equal(stderr, '');
    t.equal(status, 0);
    t.match(stdout, `${file}: `);
    const trace = new TraceFile(readFileSync(file, 'utf8'));
    checkStructure(t, trace);
    hasHold = trace.stretches(THREADS, 'bql-load').some(({ name }) => name === 'hold bql');
  }
  t.equal((await server.get('/v1/machines/m/trace')).enabled, false, 'it is off again');

  await server.request('PUT', '/v1/machines/m/trace', { enabled: true });
  t.equal((await record(...from, 'm', '--duration', '0.01', '-o', file)).status, 0);
  t.equal((await server.get('/v1/machines/m/trace')).enabled, true, 'what was on stays on');

  t.match(await record(...from, 'nobody', '-o', file), { status: 2, stderr: /There is no machine nobody/ });
  t.match(await record(...from, 'm', '--duration', '0'), { status: 2, stderr: /number of seconds/ });
  t.match(await record(...from, 'm', '--duration', '0.01', '-o', join(folder, 'no', 'such')), { status: 2 });
  t.match(await record('--url', 'http://127.0.0.1:1'), { status: 2, stderr: /cannot be reached/ });
});
