import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { CLI, Program, withLimits } from '../support/program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const skip = process.platform === 'linux' ? false : 'only Linux tells how many files a process may open';

// With fewer than 28, Node may fail before it has loaded the first line of the program.
for (const limit of [28, 32, 64, 100]) {
  t.test(`a start that may open ${limit} files is refused in one line`, { skip }, async (t) => {
    const program = new Program([CLI, 'serve', '--port', '0', '--log-level', 'silent'], withLimits(`-n ${limit}`));
    t.equal(await program.exited, 1);
    t.match(program.stderr, new RegExp(`^[^\\n]*may open (${limit}|no more) files[^\\n]*ulimit -n[^\\n]*\\n$`));
  });
}

t.test(
  'a server takes fewer connections if it may open few files, and still writes checkpoints',
  { skip },
  async (t) => {
    const state = join(temporaryFolder(t), 'state');
    const program = new Program([CLI, 'serve', '--port', '0', '--state-dir', state], withLimits('-n 176'));
    t.teardown(() => program.child.kill('SIGKILL'));
    const url = /http:\S+/.exec((await program.line()) ?? '')?.[0];
    await program.logged(/leaves room for \d+ connections/);
    const room = Number(/leaves room for (\d+) connections/.exec(program.stderr)?.[1]);
    t.ok(room >= 1 && room < 64, `${room} connections`);
    const port = Number(new URL(String(url)).port);
    const sockets = Array.from({ length: room - 1 }, (_, index) =>
      connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (index % 50)}` }),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const response = await fetch(`${url}/v1/machines`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"m"}',
    });
    t.equal(response.status, 201, await response.text());
    t.ok(existsSync(join(state, 'm.json')));
    for (const socket of sockets) socket.destroy();
  },
);
