import { fromBinary } from '@bufbuild/protobuf';
import t from 'tap';
import { WebSocket, WebSocketServer } from 'ws';
import { IrqStream, RequestError, Southbridge, Vcpu, type VcpuEvent } from '../../src/client/index.js';
import { ClientMessageSchema } from '../protocol/gen/southbridge/v1/client_pb.js';
import {
  ENABLE,
  GENERAL_CONFIGURATION,
  IOAPIC,
  LEVEL_TRIGGERED,
  MAIN_COUNTER,
  route,
  timerComparator,
  timerConfiguration,
} from '../support/guest.js';
import { TestServer } from '../support/server.js';

/** Writes a redirection entry, in the turn in which it is called. */
function entry(vcpu: Vcpu, pin: number, low: number, destination = 0): void {
  vcpu.post(IOAPIC, 4, 0x11 + 2 * pin);
  vcpu.post(IOAPIC + 0x10, 4, destination << 24);
  vcpu.post(IOAPIC, 4, 0x10 + 2 * pin);
  vcpu.post(IOAPIC + 0x10, 4, low);
}

/** A server, and a place between it and its clients at which frames can be seen and connections cut. */
async function relayed(server: TestServer) {
  const frames: Buffer[] = [];
  const relay = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'southbridge.v1.proto' });
  await new Promise((resolve) => relay.once('listening', resolve));
  const links: WebSocket[] = [];
  relay.on('connection', (near, request) => {
    const protocols = String(request.headers['sec-websocket-protocol']).split(/, ?/);
    const far = new WebSocket(server.socketUrl(request.url ?? ''), protocols);
    links.push(near, far);
    const early: Buffer[] = [];
    near.on('message', (data) => {
      frames.push(data as Buffer);
      if (far.readyState === WebSocket.OPEN) far.send(data as Buffer);
      else early.push(data as Buffer);
    });
    far.on('open', () => {
      for (const data of early) far.send(data);
    });
    far.on('message', (data) => near.send(data as Buffer));
    far.on('error', () => {});
    near.on('error', () => {});
    far.on('close', (code) => near.close(code >= 4000 ? code : 1001));
    near.on('close', () => far.close());
  });
  const { port } = relay.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    frames,
    cut: () => {
      for (const link of links.splice(0)) link.terminate();
    },
    close: () => relay.close(),
  };
}

t.test('values, ports, lines, steps; interrupts come before the reply to their cause', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'm', clock: 'manual' }] });
  t.teardown(server.stop);
  const seen: string[] = [];
  const vcpu = await Vcpu.connect(server.url, 'm', 0, {
    WebSocket: WebSocket as never,
    onEvent: (event) => seen.push(event.type === 'interrupt' ? `vector ${event.message.vector}` : event.type),
  });
  t.equal(await vcpu.read(MAIN_COUNTER, 8), 0n);
  await vcpu.write(MAIN_COUNTER, 8, 0x1_2345_6789n);
  t.equal(await vcpu.read(MAIN_COUNTER, 8), 0x1_2345_6789n);
  t.equal(await vcpu.read(MAIN_COUNTER, 4), 0x2345_6789);
  await vcpu.write(MAIN_COUNTER, 8, 0n);
  entry(vcpu, 16, 0x41);
  vcpu.post(timerConfiguration(0), 8, ENABLE | route(16));
  vcpu.post(timerComparator(0), 8, 100);
  vcpu.post(GENERAL_CONFIGURATION, 8, 1);
  await vcpu.step(10_000);
  seen.push('reply');
  t.same(seen, ['vector 65', 'reply']);
  await vcpu.portWrite(0x21, 0xfe);
  t.equal(await vcpu.portRead(0x21), 0xfe);
  t.type(await vcpu.acknowledge(), 'number');
  t.same(await vcpu.step(1), { time: 10_001 }, 'no timer is armed');
  vcpu.post(timerComparator(0), 8, 2000n);
  const read = { address: MAIN_COUNTER, size: 8 } as const;
  t.same(await vcpu.step(1), { time: 10_002, deadline: 20_000 });
  t.same(await vcpu.step(1_000_000, { toDeadline: true, read }), { time: 20_000, value: 2000n });
  t.same(seen.splice(2), ['vector 65']);
  await vcpu.subscribe(['line']);
  await vcpu.setInput('pit', 1);
  t.same(seen.splice(2), ['irq'], 'an input as well');
  await vcpu.subscribe([]);
  await vcpu.setApic(1, 'flat');
  entry(vcpu, 5, 0x50 | LEVEL_TRIGGERED);
  await vcpu.setLine(5, 1);
  await vcpu.endOfInterrupt(0x50);
  t.same(seen.slice(2), ['vector 80', 'vector 80'], 'the line is still high at the EOI');
  t.same(
    await vcpu.batch([
      { address: MAIN_COUNTER, size: 8 },
      { address: IOAPIC, size: 4, value: 1 },
      { address: IOAPIC + 0x10, size: 4 },
    ]),
    [2000n, undefined, 0x0017_0020],
  );
  vcpu.close();
});

t.test('accesses of one turn go in one frame, which a library reads as what it is', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'm', clock: 'manual' }] });
  const relay = await relayed(server);
  t.teardown(async () => {
    relay.close();
    await server.stop();
  });
  const vcpu = await Vcpu.connect(relay.url, 'm', 0, { WebSocket: WebSocket as never });
  await vcpu.sync();
  const before = vcpu.framesSent;
  const values = await Promise.all(Array.from({ length: 100 }, (_, n) => vcpu.read(timerConfiguration(n % 3), 4)));
  t.equal(values.length, 100);
  t.equal(vcpu.framesSent - before, 1, 'a hundred reads, one frame');
  const cases = relay.frames.map((frame) => fromBinary(ClientMessageSchema, frame).message.case);
  t.same(
    cases.filter((name) => name !== 'acknowledge'),
    ['resume', 'hello', 'sync', 'batch'],
  );

  const results = await Promise.allSettled([vcpu.read(0x1000, 4), vcpu.read(timerConfiguration(0), 4)]);
  t.match(results[0], { status: 'rejected', reason: { code: 'address-unassigned' } });
  t.match(results[1], { status: 'fulfilled', value: values[0] }, 'one bad access spoils no other of its turn');

  vcpu.post(0x1000, 4, 1);
  await t.rejects(
    async () => {
      for (;;) await vcpu.sync();
    },
    { code: 'address-unassigned' },
    'a posted write that is refused shows with a later request',
  );
  vcpu.close();
});

t.test('a lost connection: requests in flight fail, and the vCPU reconnects and gets its interrupts', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'm', clock: 'manual', vcpus: 2 }] });
  const relay = await relayed(server);
  t.teardown(async () => {
    relay.close();
    await server.stop();
  });
  const events: VcpuEvent[] = [];
  const vcpu = await Vcpu.connect(relay.url, 'm', 0, {
    WebSocket: WebSocket as never,
    onEvent: (event) => events.push(event),
  });
  entry(vcpu, 4, 0x30);
  await vcpu.sync();
  const stream = await IrqStream.connect(relay.url, 'm', { WebSocket: WebSocket as never });
  const other = await server.connect('m', 1);
  const pulse = async () => {
    for (const level of [1, 0]) await other.request({ type: 'line', gsi: 4, level });
  };
  await pulse();
  await vcpu.sync();
  t.equal(events.length, 1);

  const [first] = [vcpu.hello?.resumeToken];
  relay.cut();
  const lost = vcpu.sync().then(
    () => 'answered',
    (error: RequestError) => error.code,
  );
  await pulse();
  t.match(await lost, /^(connection-lost|answered)$/);
  // Requests wait for the next connection.
  while ((await vcpu.sync().catch(() => 'lost')) === 'lost');
  t.not(vcpu.hello?.resumeToken, first, 'it is another connection');
  t.equal(events.filter(({ type }) => type === 'interrupt').length, 2, 'the interrupt that came meanwhile is here');

  const numbers: number[] = [];
  for await (const event of stream) {
    t.equal(event.type, 'irq', 'no gap');
    if (event.type === 'irq') numbers.push(event.sequence);
    if (numbers.length === 6) break;
  }
  t.same(numbers, [1, 2, 3, 4, 5, 6], 'the stream goes on where it was');
  t.same(stream.lines, { hpet: 0, external: 0 });
  vcpu.close();
});

t.test('machines by HTTP; refusals have a code; a taken vCPU is taken over with its token', async (t) => {
  const server = await TestServer.start();
  t.teardown(server.stop);
  const southbridge = new Southbridge(server.url, { WebSocket: WebSocket as never });
  await southbridge.createMachine({ name: 'a', clock: 'manual' });
  t.match(await southbridge.machines(), [{ name: 'default' }, { name: 'a' }]);
  await t.rejects(southbridge.createMachine({ name: 'a' }), { code: 'machine-exists', status: 409 });
  const holder = await southbridge.vcpu('a', 0);
  await t.rejects(southbridge.vcpu('a', 0), { code: 'vcpu-taken' });
  const heir = await southbridge.vcpu('a', 0, { resumeToken: holder.hello?.resumeToken });
  await t.rejects(
    async () => {
      for await (const _event of holder.events());
    },
    { code: 'vcpu-replaced' },
  );
  await t.rejects(holder.sync(), { code: 'vcpu-replaced' });
  const stream = await southbridge.irqs('a');
  await southbridge.deleteMachine('a');
  const ends = async () => {
    for await (const _event of stream);
  };
  await t.rejects(ends(), { code: 'machine-closing' });
  await t.rejects(heir.sync(), RequestError);
});
