import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyRequest } from 'fastify';
import t, { type Test } from 'tap';
import { Routing } from '../../../src/server/routing/routing.js';
import type { AddressSockets } from '../../../src/server/security/sockets.js';
import type { ClusterPort } from '../../../src/server/service/cluster-port.js';
import type { Service } from '../../../src/server/service/service.js';

const CLIENT = { forwarded: { address: '203.0.113.7', isLocal: false } } as unknown as FastifyRequest;
const CLUSTER = { issue: () => 'passport', whenGone: () => () => {} } as unknown as ClusterPort;

/** What this node makes of the answer of another one. */
async function ask(t: Test, answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const routing = new Routing({} as Service, CLUSTER, {} as AddressSockets);
  const call = { method: 'POST', url: '/v1/cluster/drain', body: { node: 'b' } };
  return routing.ask({ node: 'b', incarnation: 'b1', address }, call, CLIENT);
}

t.test('another node is asked, and its answer is that of the request', async (t) => {
  t.strictSame(await ask(t, (_, response) => response.end('{"stayed":0}')), { status: 200, body: { stayed: 0 } });
  t.strictSame(await ask(t, (_, response) => response.writeHead(204).end()), { status: 204, body: null });
});

const BROKEN: { readonly [name: string]: RequestListener } = {
  'no answer': (_, response) => response.destroy(),
  'an answer without its end': (_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{"stayed":', () => response.destroy());
  },
  'an answer that no node gives': (_, response) => response.end('<html>'),
};

for (const [name, answer] of Object.entries(BROKEN)) {
  t.test(`${name}: the client is told which node was asked for what`, async (t) => {
    const details = { node: 'b', request: 'POST /v1/cluster/drain' };
    await t.rejects(ask(t, answer), { code: 'node-unreachable', status: 502, details });
  });
}
