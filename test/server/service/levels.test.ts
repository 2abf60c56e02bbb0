import t from 'tap';
import { WebSocket } from 'ws';
import { IrqStream } from '../../../src/client/index.js';
import { EventSourceClient } from '../../support/event-source-client.js';
import { pulse } from '../../support/guest.js';
import { TestServer } from '../../support/server.js';

const OPTIONS = { WebSocket: WebSocket as never };

t.test('a reader of a machine that was made again with fewer events gets a gap', async (t) => {
  const server = await TestServer.start({ machines: [] });
  t.teardown(server.stop);
  const make = () => server.request('POST', '/v1/machines', { name: 'm', clock: 'manual' });
  for (const events of [0, 1, 3]) {
    await make();
    const vcpu = await server.connect('m', 0);
    for (let event = 0; event < events; event++) await vcpu.request({ type: 'line', gsi: 4, level: (event + 1) % 2 });
    const stream = await EventSourceClient.connect(`${server.url}/v1/machines/m/irqs/events`, {
      'last-event-id': '21',
    });
    const lines = { hpet: '0x00000000', external: events % 2 ? '0x00000010' : '0x00000000' };
    const gap = { type: 'gap', from: String(Math.min(1, events)), to: String(events), lines };
    t.same(await stream.next(({ type }) => type === 'gap'), gap);
    const { epoch } = await server.get('/v1/machines/m');
    t.equal(stream.ids.at(-1), `${epoch}:${events}`, 'and goes on from there');
    const socket = await IrqStream.connect(server.url, 'm', { ...OPTIONS, after: 21 });
    for await (const event of socket) {
      t.match(event, { type: 'gap', to: events });
      break;
    }
    await stream.close();
    await server.request('DELETE', '/v1/machines/m');
  }
});

t.test('a restore sends the levels to vCPUs, subscribers and those who come back', async (t) => {
  const server = await TestServer.start({ machines: [{ name: 'm', clock: 'manual', vcpus: 2 }] });
  t.teardown(server.stop);
  const vcpus = [await server.connect('m', 0), await server.connect('m', 1)];
  for (const [port, value] of [
    [0x20, 0x11],
    [0x21, 0x20],
    [0x21, 4],
    [0x21, 1],
    [0x21, 0],
  ] as const) {
    await vcpus[0].request({ type: 'out', port: `0x${port.toString(16)}`, value: `0x${value.toString(16)}` });
  }
  await vcpus[0].request({ type: 'line', gsi: 4, level: 1 });
  const high = await server.get('/v1/machines/m/snapshot');
  await vcpus[0].request({ type: 'line', gsi: 4, level: 0 });
  const socket = await IrqStream.connect(server.url, 'm', OPTIONS);
  const events = await EventSourceClient.connect(`${server.url}/v1/machines/m/irqs/events`);
  const before = Number((await server.get('/v1/machines/m')).sequence);
  t.equal((await server.request('PUT', '/v1/machines/m/snapshot', high)).status, 200);

  const number = String(before + 1);
  const gap = { type: 'gap', from: number, to: number, lines: { hpet: '0x00000000', external: '0x00000010' } };
  for (const vcpu of vcpus) t.same(await vcpu.next(({ type }) => type === 'gap'), gap);
  t.same(
    await vcpus[0].next(({ type, sequence }) => type === 'intr' && sequence === number),
    { type: 'intr', sequence: number, level: 1 },
    'INTR to vCPU 0',
  );
  t.same(await events.next(({ type }) => type === 'gap'), gap);
  for await (const event of socket) {
    t.equal(event.type, 'gap');
    t.equal(socket.lines.external, 16);
    break;
  }
  await pulse(vcpus[0], 5);
  const late = await EventSourceClient.connect(`${server.url}/v1/machines/m/irqs/events?after=${before - 1}`);
  t.match(await late.next(({ type }) => type === 'gap'), { from: String(before), to: number, lines: gap.lines });
  for (const stream of [events, late]) await stream.close();
});

t.test('pages of an allowed origin may call the HTTP API, and see refusals; others may not', async (t) => {
  const origin = 'https://example.org';
  const server = await TestServer.start({ allowedOrigins: [origin] });
  t.teardown(server.stop);
  const allowed = (headers: Headers) => headers.get('access-control-allow-origin');
  for (const path of ['/v1/machines', '/v1/machines/none', '/v1/machines/default/irqs', '/none']) {
    const { headers } = await server.request('GET', path, undefined, { origin });
    t.equal(allowed(headers), origin, path);
    t.match(headers.get('vary'), /origin/i);
  }
  const preflight = {
    origin,
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization',
  };
  const answer = await server.request('OPTIONS', '/v1/machines/default/snapshot', undefined, preflight);
  t.equal(answer.status, 204);
  t.match(answer.headers.get('access-control-allow-methods'), /PUT/);
  t.match(answer.headers.get('access-control-allow-headers'), /authorization/);
  const foreign = await server.request('OPTIONS', '/v1/machines', undefined, {
    ...preflight,
    origin: 'https://other.org',
  });
  t.equal(foreign.status, 403);
  t.equal(allowed(foreign.headers), null);
  const stream = await EventSourceClient.connect(`${server.url}/v1/machines/default/irqs/events`, { origin });
  t.equal(stream.response.headers['access-control-allow-origin'], origin);
  await stream.close();
  t.equal(allowed((await server.request('GET', '/v1/machines')).headers), null, 'a program has no origin');
});
