import t, { type Test } from 'tap';
import type { ServerHello } from '../../src/protocol/server-message.js';
import { LANGUAGES } from '../support/language-drivers.js';
import { ScriptedServer } from '../support/scripted-server.js';
import { blockingClient, type ClientUnderTest, programClient, promiseClient } from '../support/session-clients.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tier } from '../support/tier.js';

type Connect = (t: Test, url: string, follow?: boolean) => Promise<ClientUnderTest>;

const CLIENTS: { readonly name: string; readonly skip: string | false; readonly connect: Connect }[] = [
  { name: 'promise client', skip: false, connect: (_, url, follow) => promiseClient(url, follow) },
  { name: 'blocking client', skip: false, connect: (_, url, follow) => blockingClient(url, follow) },
  // Under valgrind, where it is installed.
  ...(tier.triesCluster ? LANGUAGES : []).map(({ name, skip, driver }) => ({
    name: `client for ${name}`,
    skip,
    connect: (t: Test, url: string, follow?: boolean) => programClient(driver(temporaryFolder(t)), url, follow),
  })),
];

const LINE = { kind: 'line', gsi: 3, level: 1 } as const;

/** A node of a cluster. */
class Node {
  constructor(
    readonly script: ScriptedServer,
    /** As nodes advertise it. */
    readonly address: string,
  ) {}

  static async start(t: Test): Promise<Node> {
    const [script, url] = await ScriptedServer.start(t);
    return new Node(script, url.replace('ws:', 'http:'));
  }

  /** What it says from now on. */
  says(place: Partial<ServerHello>): void {
    const { fence: _, owner: __, nodes: ___, ...hello } = this.script.hello;
    this.script.hello = { ...hello, machine: 'm', epoch: 'e1', request: 0, ...place };
  }

  has(fence: number, ...nodes: Node[]): void {
    this.says({ fence, nodes: nodes.map(({ address }) => address) });
  }

  knows(owner: Node, fence: number): void {
    this.says({ fence, owner: owner.address, nodes: [] });
  }

  /** Numbers of the requests that it got. */
  get requests(): number {
    return this.script.messages().filter(({ type }) => type === 'line').length;
  }

  /** A request that comes meanwhile is not accepted. */
  move(): void {
    this.script.socket?.removeAllListeners('message');
    this.script.socket?.close(1001, 'machine-moved');
  }
}

for (const { name, skip, connect } of CLIENTS) {
  t.test(name, { skip }, async (t) => {
    const [a, b, c] = [await Node.start(t), await Node.start(t), await Node.start(t)];
    const requests = () => [a, b, c].map((node) => node.requests);

    t.test('goes to the owner of the machine, and after it', async (t) => {
      a.knows(b, 5);
      b.has(5, c);
      const client = await connect(t, a.address);
      t.strictSame(await client.perform(LINE), {});
      t.strictSame(requests(), [0, 1, 0], 'the owner gets the request');
      t.match(a.script.offered[0], /, southbridge\.follow/);

      b.knows(c, 7);
      c.has(7, b);
      b.move();
      t.strictSame(await client.perform(LINE), {});
      t.strictSame(requests(), [0, 1, 1], 'the next owner gets the request');

      // Each of them has not heard of a later owner yet; none of what they would send is taken.
      c.has(6);
      b.has(5);
      a.knows(b, 5);
      c.script.resumedEvents = [{ type: 'intr', sequence: 1, level: 1 }];
      const before = [a, b, c].map(({ script }) => script.offered.length);
      c.move();
      const done = client.perform(LINE);
      const isAsked = () => [a, b, c].every(({ script }, index) => script.offered.length > before[index]);
      while (!isAsked()) await new Promise((resolve) => setImmediate(resolve));
      t.strictSame(requests(), [0, 1, 1], 'an earlier owner gets no request');
      a.knows(b, 8);
      b.has(8);
      t.strictSame(await done, {});
      t.strictSame(requests(), [0, 2, 1]);
      t.strictSame(client.events, [], 'nothing of an earlier owner');
      await client.close();
    });

    t.test('stays where it is, if it is to', async (t) => {
      a.has(9);
      const client = await connect(t, a.address, false);
      t.strictSame(await client.perform(LINE), {});
      t.notMatch(a.script.offered.at(-1), /follow/);
      await client.close();
    });

    t.test('reaches another node when its own is lost', async (t) => {
      const [first, second] = [await Node.start(t), await Node.start(t)];
      first.has(3, second);
      second.has(4);
      const client = await connect(t, first.address);
      t.strictSame(await client.perform(LINE), {});
      first.has(2);
      first.script.drop();
      t.strictSame(await client.perform(LINE), {});
      t.equal(second.requests, 1);
      await client.close();
    });
  });
}

t.test('the promise client sends a token that goes over TLS nowhere without', async (t) => {
  const { Places } = await import('../../src/client/places.js');
  const hello = { type: 'hello', version: 1, machine: 'm', sequence: 0 } as const;
  const places = new Places('https://a', true);
  places.refusal({ ...hello, fence: 1, nodes: ['http://b', 'https://c'] });
  places.failed();
  t.equal(places.url('/x'), 'wss://c/x');
  t.equal(places.refusal({ ...hello, fence: 1, owner: 'http://b' })?.code, 'machine-elsewhere');
  t.equal(places.url('/x'), 'wss://a/x');
});
