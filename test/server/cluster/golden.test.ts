import t from 'tap';
import { replayAll } from '../../../src/lab/replay/runner.js';
import type { ClientCodec } from '../../../src/protocol/codec.js';
import { jsonClientCodec } from '../../../src/protocol/json/client-codec.js';
import { protoClientCodec } from '../../../src/protocol/protobuf/client-codec.js';
import type { ServerHello } from '../../../src/protocol/server-message.js';
import { CodedTarget } from '../../lab/replay/coded-target.js';
import { GOLDEN, PIC, SILENT } from '../../lab/replay/vectors.js';
import { TestCluster, type TestNode } from '../../support/cluster.js';
import { CodedClient } from '../../support/coded-client.js';
import { NO_NATS } from '../../support/nats.js';
import { tier } from '../../support/tier.js';

const skip = tier.triesCluster ? NO_NATS : 'not in this tier';

const TRACES = [...GOLDEN, ...PIC].filter((_, number) => number % tier.clusterTraceStride === 0);

t.test('golden traces through a node that has not the machine', { skip }, async (t) => {
  const { nodes } = await TestCluster.start(t, 2, {}, 1);
  const socket = (node: TestNode, path: string) => node.url.replace('http', 'ws') + path;
  const nodeWithout = async (path: string) => {
    const machine = path.split('/')[3];
    const [first, second] = nodes;
    return (await first.owns(machine)) ? second : first;
  };

  const ways: { readonly [name: string]: (codec: ClientCodec) => (path: string) => Promise<CodedClient> } = {
    proxied: (codec) => async (path) => CodedClient.connect(socket(await nodeWithout(path), path), codec),
    following: (codec) => async (path) => {
      const other = await nodeWithout(path);
      const sent = await CodedClient.connect(socket(other, path), codec, ['southbridge.follow']);
      const { owner, fence } = sent.received[0] as ServerHello;
      const client = await CodedClient.connect(`${owner}${path}`.replace('http', 'ws'), codec, ['southbridge.follow']);
      const hello = client.received[0] as ServerHello;
      if (hello.owner !== undefined || hello.fence !== fence)
        throw new Error(`not the owner: ${JSON.stringify(hello)}`);
      return client;
    },
  };

  for (const codec of [jsonClientCodec, protoClientCodec]) {
    for (const [name, way] of Object.entries(ways)) {
      t.test(`${name} client, ${codec.subprotocol}`, async (t) => {
        const server = {
          request: (...[method, path, body]: Parameters<TestNode['request']>) => nodes[0].request(method, path, body),
          socketUrl: (path: string) => socket(nodes[0], path),
        };
        const target = new CodedTarget(server, codec, way(codec));
        const report = await replayAll(TRACES, target, { locking: 'lockless-irq' }, SILENT);
        t.strictSame(
          report.results.filter((result) => !result.passed),
          [],
        );
        t.equal(report.passed, TRACES.length);
      });
    }
  }
});
