import { Worker } from 'node:worker_threads';
import t from 'tap';
import { Bell, SyncVcpu } from '../../src/client/sync/index.js';
import { writeEntry } from '../support/guest.js';
import { CLI, Program } from '../support/program.js';
import { TestServer } from '../support/server.js';

const MACHINES = ['a', 'b'];
const PIN = 4;
const VECTOR = 0x34;

for (const isBlocking of [true, false]) {
  const how = isBlocking ? 'sleeps' : 'goes on with its event loop';
  t.test(
    `a thread that waits for several vCPUs, and ${how}, is woken by each of them and by another thread`,
    async (t) => {
      const server = await TestServer.start({ machines: MACHINES.map((name) => ({ name })) });
      const bell = new Bell();
      const workerData = { buffer: bell.buffer, url: server.url, isBlocking, waits: 3 };
      const thread = new Worker(new URL('./drivers/bell.js', import.meta.url), { workerData, execArgv: [] });
      const said: unknown[] = [];
      let heard = () => {};
      thread.on('message', (message) => {
        said.push(message);
        heard();
      });
      const next = async () => {
        while (said.length === 0) {
          await new Promise<void>((resolve) => {
            heard = resolve;
          });
        }
        return said.shift();
      };
      t.equal(await next(), 'open');
      for (const machine of MACHINES) {
        const other = await server.connect(machine, 1);
        await writeEntry(other, PIN, VECTOR, 0);
        if (!isBlocking) t.equal(await next(), 'goes on');
        await other.request({ type: 'line', gsi: PIN, level: 1 });
        t.same(await next(), { found: true, events: [`${machine} ${VECTOR}`] });
      }
      if (!isBlocking) t.equal(await next(), 'goes on');
      bell.ring();
      t.same(await next(), { found: false, events: [] }, 'a ring ends the wait');
      bell.ring();
      t.equal(await next(), false, 'and that for one vCPU');
      await server.stop();
    },
  );
}

t.test('a ring that comes before a wait ends it, and a vCPU waits at its own bell only', async (t) => {
  const program = new Program([CLI, 'serve', '--port', '0', '--log-level', 'error']);
  t.teardown(async () => {
    program.child.kill();
    await program.exited;
  });
  const url = String((await program.line())?.match(/http:\S+/)?.[0]);
  const bell = new Bell();
  const vcpu = SyncVcpu.connect(url, 'default', 0, { bell });
  bell.ring();
  t.equal(vcpu.waitForEvent(60_000), false);
  t.equal(vcpu.waitForEvent(1), false, 'once');
  t.throws(() => new Bell().waitForEvent([vcpu], 1), TypeError);
  vcpu.close();
  t.throws(() => vcpu.waitForEvent(60_000), { code: 'connection-closed' });
});
