import t, { type Test } from 'tap';
import { RemoteTarget } from '../../../src/lab/replay/remote.js';
import { replayAll } from '../../../src/lab/replay/runner.js';
import { protoCodec } from '../../../src/protocol/protobuf/codec.js';
import { FakeService, type Faults } from './fake-service.js';
import { GOLDEN, SILENT } from './vectors.js';

/** A service with these faults, and a target that talks to it. */
async function serve(t: Test, faults?: Faults) {
  const service = new FakeService(faults);
  const url = await service.listen();
  t.teardown(() => service.close());
  return { service, target: new RemoteTarget(url), url: url.origin };
}

const named = (name: string) => GOLDEN.filter(({ file }) => file.endsWith(`/${name}.jsonl`));
const TWO = [...named('hpet_fsb'), ...named('ioapic_storm')];
const WITH = { locking: 'bql' } as const;

t.test('a machine as the trace wants it', async (t) => {
  const { service, target } = await serve(t);
  await replayAll([...named('hpet_intcap'), ...named('hpet_fsb'), ...named('ioapic_access')], target, WITH, SILENT);
  const [intcap, fsb] = service.created;
  t.match(intcap, {
    name: /^replay-[0-9a-f]{12}$/,
    clock: 'manual',
    locking: 'bql',
    hpet: { msi: false, routingCapability: '0x00f00004', profile: 'qemu-11.1' },
    ioapic: { version: '0x20' },
    vcpus: 1,
  });
  t.match(fsb, { hpet: { msi: true, timers: 3 } });
  t.not(intcap.name, fsb.name);
});

t.test('a server that is not there', async (t) => {
  const { service, target, url } = await serve(t);
  await service.close();
  await t.rejects(replayAll(TWO, target, WITH, SILENT), {
    message: new RegExp(`^POST ${url}/v1/machines: connect ECONNREFUSED`),
  });
});

t.test('a server that refuses a machine', async (t) => {
  const { target, url } = await serve(t, {
    onRequest(_, response) {
      response.writeHead(409).end('{"error":{"code":"too-many-machines","message":"All 2 machines are in use."}}');
      return true;
    },
  });
  const { results } = await replayAll(TWO, target, WITH, SILENT);
  const error = `POST ${url}/v1/machines: 409 too-many-machines: All 2 machines are in use.`;
  t.same(
    results.map((result) => result.error),
    [error, error],
  );
});

t.test('a server that is something else', async (t) => {
  const { target, url } = await serve(t, {
    onRequest(_, response) {
      response.writeHead(404).end('Not here');
      return true;
    },
  });
  const { results } = await replayAll(TWO, target, WITH, SILENT);
  t.equal(results[0].error, `POST ${url}/v1/machines: 404 Not here`);
});

t.test('a server that refuses the socket', async (t) => {
  const { service, target } = await serve(t);
  const set = service.machines.set.bind(service.machines);
  service.machines.set = (name, machine) => set(`other-${name}`, machine);
  const { results } = await replayAll(TWO, target, WITH, SILENT);
  t.match(results[0].error, /^No connection to ws:.*\/vcpus\/0: No\.$/);
  t.match(results[1].error, /^No connection to ws:.*\/vcpus\/0: No\.$/);
});

t.test('a machine that cannot be deleted', async (t) => {
  const { target, url } = await serve(t, {
    onRequest(request, response) {
      if (request.method !== 'DELETE') return false;
      response.writeHead(500).end();
      return true;
    },
  });
  const { results } = await replayAll(named('hpet_fsb'), target, WITH, SILENT);
  t.equal(results[0].passed, false);
  t.match(
    results[0].error,
    new RegExp(`^the machine could not be removed: DELETE ${url}/v1/machines/replay-\\w+: 500$`),
  );
});

/** What a server does at the 21st message, and how the replay's error begins. */
const LOSSES: { readonly [what: string]: [Faults['onMessage'], RegExp] } = {
  'closes the socket': [
    (socket) => {
      socket.close(1012, 'restart');
      return true;
    },
    /^No connection to ws:.*: it was closed \(close code 1012, restart\); \d+ requests were unanswered$/,
  ],
  'breaks the connection': [
    (socket) => {
      socket.terminate();
      return true;
    },
    /^No connection to ws:.*: it was closed \(close code 1006\); \d+ requests were unanswered$/,
  ],
  'answers out of order': [
    (socket, { id }) => {
      socket.send(protoCodec.encode({ type: 'reply', id: id + 1 }));
      return true;
    },
    /^the server sent \{"type":"reply","id":\d+\}: the answer to \d+ is due; \d+ requests were unanswered$/,
  ],
  'left events out': [
    (socket) => {
      socket.send(protoCodec.encode({ type: 'gap', from: 1, to: 2 }));
      return false;
    },
    /^the server sent \{"type":"gap".*\}: a replay does not expect this message; /,
  ],
  'sends something else': [
    (socket) => {
      socket.send(Buffer.from('hello'));
      return false;
    },
    /^the server sent the frame 68656c6c6f: it ends too early; /,
  ],
};

for (const [what, [fault, message]] of Object.entries(LOSSES)) {
  t.test(`a server that ${what}`, async (t) => {
    const { service, target, url } = await serve(t, {
      onMessage: (socket, message, count) => count === 20 && fault!(socket, message, count),
    });
    const { results } = await replayAll(TWO, target, WITH, SILENT);
    t.match(results[0].error, message);
    t.equal(results[1].error, `not run: ${url} was lost`);
    t.equal(service.machines.size, 0);
  });
}

t.test('a server that refuses a step', async (t) => {
  const { service, target } = await serve(t, {
    onMessage(socket, { id }, count) {
      if (count !== 1) return false;
      socket.send(protoCodec.encode({ type: 'error', id, code: 'bad-size', message: 'Not this size.', details: {} }));
      return true;
    },
  });
  const { results } = await replayAll(named('hpet_same_deadline'), target, WITH, SILENT);
  t.match(results[0].mismatch, {
    line: 2,
    step: 1,
    operation: 'write 0x0000000000002004 to 0xfed00100',
    expected: 'to be done',
    got: 'refused: bad-size: Not this size.',
  });
  t.equal(service.machines.size, 0);
});
