import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { southbridge, southbridgeBeside } from '../support/program.js';
import { TestServer } from '../support/server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

t.test('southbridge doctor tells a line for each thing, and 1 if something fails', async (t) => {
  const fine = southbridge(['doctor', '--port', '0']);
  t.equal(fine.status, 0, fine.stdout);
  for (const name of ['configuration', 'Node', 'cores', 'timers', 'port', 'memory', 'tokens']) {
    t.match(fine.stdout, new RegExp(`^(ok|warn)  +${name} +\\S`, 'm'), name);
  }

  const folder = temporaryFolder(t);
  const file = join(folder, 'tokens');
  writeFileSync(file, 'nonsense\n');
  const bad = southbridge(['doctor', '--port', '0', '--token-file', file, '--json']);
  t.equal(bad.status, 1);
  const { ok, checks } = JSON.parse(bad.stdout);
  t.equal(ok, false);
  t.match(
    checks.filter(({ status }: { status: string }) => status === 'fail'),
    [{ name: 'tokens', found: /nonsense|line 1/, advice: /\S/ }],
  );
  t.match(southbridge(['doctor'], { SOUTHBRIDGE_PORT: 'eighty' }), {
    status: 1,
    stdout: /^fail {2}configuration .*port/,
  });
});

t.test('southbridge doctor knows its own server', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const { port } = new URL(server.url);
  const { status, stdout } = await southbridgeBeside(['doctor', '--port', port]);
  t.equal(status, 0);
  t.match(stdout, new RegExp(`^warn  port .*a Southbridge server listens on 127\\.0\\.0\\.1:${port}`, 'm'));
});
